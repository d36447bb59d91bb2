"""The demo's worker process: takes orders from the queue, reserves stock over HTTP, updates the database, then acks."""

import json
import os
import threading

import clients  # first: it replaces socket.socket

import truth

database = clients.mysql_pool(2)
cache = clients.redis_client(2)
stock = clients.StockClient(2)

database.fill()
stock.fill()


def place(number):
    with database.take() as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT item, quantity FROM shop.orders WHERE id = %s", (number,))
            item, quantity = cursor.fetchone()
        connection.commit()
    status, _ = stock.call("POST", "/reservations", {"item": item, "quantity": quantity})
    state = "reserved" if status == 201 else "sold out"
    with database.take() as connection:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE shop.orders SET state = %s WHERE id = %s", (state, number))
        connection.commit()
    cache.incr("orders:%s" % state)


def wrap(number):
    cache.lpush("wrapping", number)
    cache.ltrim("wrapping", 0, 99)


def work(channel, delivery, _properties, body):
    message = json.loads(body)
    wire = channel.connection._impl
    operation = truth.Operation(
        "consumer", "amqp", wire.socket, delivery.position, "process orders",
        message=clients.message_name(message), channel=channel.channel_number, tag=delivery.delivery_tag)
    with operation:
        if message["event"] == "placed":
            place(message["order"])
        else:
            wrap(message["order"])
    channel.basic_ack(delivery.delivery_tag)
    operation.finish()


def consume():
    channel = clients.amqp_connection().channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=int(os.environ["DEMO_PREFETCH"]))
    channel.basic_consume("orders", work)
    channel.start_consuming()


def consume_or_die():
    try:
        consume()
    except BaseException as problem:
        print("worker: a consumer ended: %r" % problem, flush=True)
        os._exit(1)


consumers = [threading.Thread(target=consume_or_die) for _ in range(int(os.environ["DEMO_CONSUMERS"]))]
for consumer in consumers:
    consumer.start()
print("worker: consuming", flush=True)
for consumer in consumers:
    consumer.join()
