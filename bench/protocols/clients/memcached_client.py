"""memcached_client.py PORT REQUESTS LOG: pymemcache, one line a command: its name and what came of it."""
import sys
from pymemcache.client.base import Client

port, requests, log = int(sys.argv[1]), int(sys.argv[2]), open(sys.argv[3], 'w')
client = Client(('127.0.0.1', port), default_noreply=False)
for i in range(requests):
    n, key = i % 20, 'key:%d' % (i % 300)
    if n < 8:
        line = 'get %s' % ('hit' if client.get(key) is not None else 'miss')
    elif n < 12:
        line = 'set %s' % ('ok' if client.set(key, b'secret\r\n' * (i % 50)) else 'no')
    elif n == 12:
        line = 'get %s' % ('hit' if client.get('missing:%d' % i) is not None else 'miss')
    elif n == 13:
        keys = ['key:%d' % k for k in range(10)]
        line = 'get %s' % ('hit' if len(client.get_many(keys)) == 10 else 'miss')
    elif n == 14:
        line = 'add %s' % ('ok' if client.add('added:%d' % (i % 100), b'1') else 'no')
    elif n == 15:
        line = 'incr %s' % ('ok' if client.incr('added:%d' % ((i - 1) % 100), 1) is not None else 'no')
    elif n == 16:
        line = 'delete %s' % ('ok' if client.delete(key) else 'no')
    elif n == 17:
        client.set('quiet:%d' % i, b'quiet', noreply=True)
        line = 'set quiet'
    elif n == 18:
        line = 'touch %s' % ('ok' if client.touch(key, 100) else 'no')
    else:
        value, cas = client.gets(key)
        line = 'gets %s' % ('hit' if value is not None else 'miss')
    log.write(line + '\n')
client.close()
