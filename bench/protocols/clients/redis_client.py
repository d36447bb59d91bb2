"""redis_client.py PORT REQUESTS LOG: redis-py, one line a command: its name and how it went."""
import sys
import redis

port, requests, log = int(sys.argv[1]), int(sys.argv[2]), open(sys.argv[3], 'w')
client = redis.Redis('127.0.0.1', port)


def ask(*words):
    try:
        client.execute_command(*words)
        answer = 'ok'
    except redis.ResponseError as error:
        answer = str(error).split(' ')[0]
    log.write('%s %s\n' % (words[0], answer))


ask('LPUSH', 'list', 'a')
done = 1
while done < requests:
    n = done % 20
    if n < 6:
        ask('GET', 'key:%d' % (done % 300))
    elif n < 10:
        ask('SET', 'key:%d' % (done % 300), 'secret\r\n' * (done % 50))
    elif n == 10:
        ask('HSET', 'hash:%d' % done, 'a', 1, 'b', '2')
    elif n == 11:
        ask('HGETALL', 'hash:%d' % (done - 1))
    elif n == 12:
        ask('MGET', *['key:%d' % i for i in range(10)])
    elif n == 13:
        ask('INCR', 'counter')
    elif n == 14:
        ask('INCR', 'list')
    elif n == 15:
        ask('EXPIRE', 'key:1', 100)
    elif n == 16 and requests - done >= 8:
        with client.pipeline(transaction=False) as pipe:
            for i in range(8):
                pipe.set('pipe:%d' % i, i)
            pipe.execute()
        log.write('SET ok\n' * 8)
        done += 7
    else:
        ask('ZADD', 'sorted', done, 'member:%d' % done)
    done += 1
client.close()
