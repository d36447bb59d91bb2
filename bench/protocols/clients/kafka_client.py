"""kafka_client.py PORT REQUESTS LOG: confluent-kafka (librdkafka), one line a record: produce or consume, topic, partition, offset.

A third of the requests are Produce, each of its own batch; the others are the consumer's Fetches beside it."""
import sys
import threading
from confluent_kafka import Consumer, Producer

port, requests, log = int(sys.argv[1]), int(sys.argv[2]), open(sys.argv[3], 'w')
servers = {'bootstrap.servers': '127.0.0.1:%d' % port}
topic = 'orders'
records = requests // 3
producer = Producer({**servers, 'linger.ms': 0, 'client.id': 'shop'})
lines = []


def delivered(error, message):
    assert error is None, error
    lines.append('produce %s %d %d' % (message.topic(), message.partition(), message.offset()))


def send(i):
    producer.produce(topic, b'{"order": %d, "note": "%s"}' % (i, b'x' * (i % 10 * 50)), key=b'key %d' % (i % 100),
                     headers={'n': str(i)} if i % 2 else None, on_delivery=delivered)
    producer.flush()


def consume():
    consumer = Consumer({**servers, 'group.id': 'g', 'auto.offset.reset': 'earliest', 'client.id': 'store',
                         'fetch.wait.max.ms': 20, 'enable.auto.commit': False})
    consumer.subscribe([topic])
    got = 0
    while got < records:
        message = consumer.poll(1)
        if message is None or message.error():
            continue
        got += 1
        lines.append('consume %s %d %d' % (message.topic(), message.partition(), message.offset()))
        if got % 1000 == 0 or got == records:
            consumer.commit(asynchronous=False)
    consumer.close()


send(0)
reader = threading.Thread(target=consume)
reader.start()
for i in range(1, records):
    send(i)
reader.join()
log.write('\n'.join(lines) + '\n')
