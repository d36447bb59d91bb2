"""amqp_client.py PORT REQUESTS LOG: pika, one line a message: publish or deliver, exchange, routing key, bytes."""
import sys
import pika

port, requests, log = int(sys.argv[1]), int(sys.argv[2]), open(sys.argv[3], 'w')
parameters = pika.ConnectionParameters('127.0.0.1', port, heartbeat=0)
producer, consumer = pika.BlockingConnection(parameters), pika.BlockingConnection(parameters)
out, back = producer.channel(), consumer.channel()
out.exchange_declare('shop', 'topic')
out.queue_declare('orders')
out.queue_bind('orders', 'shop', 'orders.#')
messages = requests // 2
KEYS = ['orders.new', 'orders.paid', 'orders.sent.now']
for i in range(messages):
    key = KEYS[i % 3]
    body = (b'{"order": %d, "note": "' % i) + b'x' * (i % 10 * 100) + b'"}'
    if i % 50 == 49:
        exchange, key = '', 'orders'
    else:
        exchange = 'shop'
    out.basic_publish(exchange, key, body, pika.BasicProperties(
        content_type='application/json', message_id='m%d' % i, headers={'n': i, 'by': 'bench'} if i % 2 else None))
    log.write('publish %s %s %d\n' % (exchange, key, len(body)))
got = 0


def note(channel, method, properties, body):
    global got
    got += 1
    log.write('deliver %s %s %d\n' % (method.exchange, method.routing_key, len(body)))
    if got % 10 == 0 or got == messages:
        channel.basic_ack(method.delivery_tag, multiple=True)
    if got == messages:
        channel.stop_consuming()


back.basic_qos(prefetch_count=200)
back.basic_consume('orders', note)
back.start_consuming()
producer.close()
consumer.close()
