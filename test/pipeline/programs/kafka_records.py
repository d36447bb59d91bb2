"""kafka_records.py topics PORT | producer PORT | consumer PORT GROUP COUNT: librdkafka; the last line tells every record:
topic, partition, offset, number.

The producer sends records one by one, several at once, and packed; a consumer says when it is ready for them."""
import json
import sys
import time
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

TOPICS = (('one', 'none', 1), ('several', 'none', 5), ('packed', 'gzip', 5), ('zipped', 'zstd', 3))
role, servers = sys.argv[1], {'bootstrap.servers': '127.0.0.1:' + sys.argv[2]}
lines = []


def note(message):
    lines.append([message.topic(), message.partition(), message.offset(), message.value().decode().split(' ')[0]])


def delivered(error, message):
    assert error is None, error
    note(message)


def make_topics():
    admin = AdminClient(servers)
    made = admin.create_topics([NewTopic(topic, 1, 1) for topic, _, _ in TOPICS])
    for each in made.values():
        each.result()


def produce():
    number = 0
    for topic, codec, at_once in TOPICS:
        producer = Producer({**servers, 'compression.codec': codec, 'linger.ms': 50 if at_once > 1 else 0})
        for _ in range(10):
            for _ in range(at_once):
                number += 1
                producer.produce(topic, '%d %s' % (number, 'x' * 10 * (number % 7)), key='k%d' % number,
                                 on_delivery=delivered)
            producer.flush()
            # Of a call 4 KiB are copied: a consumer that is far behind reads more at once.
            time.sleep(0.05)


def consume(group, count):
    consumer = Consumer({**servers, 'group.id': group, 'auto.offset.reset': 'earliest'})
    consumer.subscribe([topic for topic, _, _ in TOPICS], on_assign=lambda *_: print('ready', flush=True))
    while len(lines) < count:
        message = consumer.poll(0.1)
        if message is not None and not message.error():
            note(message)
    consumer.close()


if role == 'topics':
    make_topics()
elif role == 'producer':
    produce()
else:
    consume(sys.argv[3], int(sys.argv[4]))
print(json.dumps(lines))
