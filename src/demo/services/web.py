"""The demo's shop: the API behind nginx."""

import json

import clients  # first: it replaces socket.socket

import pymysql
from flask import Flask, jsonify, request

from received import noting_requests

shop = Flask("web")
database = clients.mysql_pool(4)
cache = clients.redis_client(4)
sessions = clients.memcached_client()
stock = clients.StockClient(4)
orders = clients.Publisher(2)

for pool in (database, stock, orders):
    pool.fill()


def rows(sql, *values):
    with database.take() as connection:
        with connection.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute(sql, values)
            found = cursor.fetchall()
        connection.commit()
    return found


def item_with(number):
    found = rows("SELECT id, name, price FROM shop.items WHERE id = %s", number)
    return found[0] if found else None


@shop.get("/health")
def health():
    return jsonify(ok=True)


@shop.get("/items")
def list_items():
    pipeline = cache.pipeline(transaction=False)
    pipeline.incr("visits:items")
    pipeline.get("banner")
    pipeline.execute()
    return jsonify(items=rows("SELECT id, name, price FROM shop.items ORDER BY id LIMIT 20"))


@shop.get("/items/<int:number>")
def show_item(number):
    key = "item:%d" % number
    known = cache.get(key)
    if known is not None:
        return jsonify(json.loads(known))
    item = item_with(number)
    if item is None:
        return jsonify(error="no such item"), 404
    cache.set(key, json.dumps(item), ex=2)
    return jsonify(item)


@shop.get("/items/<int:number>/stock")
def show_stock(number):
    status, answer = stock.call("GET", "/stock/%d" % number)
    return jsonify(answer), status


@shop.post("/orders")
def place_order():
    wanted = request.get_json()
    item = item_with(wanted["item"])
    if item is None:
        return jsonify(error="no such item"), 404
    customer = wanted["customer"]
    cache.get("price:%d" % item["id"])
    cache.set("price:%d" % item["id"], item["price"], ex=30)
    visits = int(sessions.get("session-%d" % customer) or 0)
    sessions.set("session-%d" % customer, str(visits + 1), expire=300)
    with database.take() as connection:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO shop.orders (item, customer, quantity, state) VALUES (%s, %s, %s, 'new')",
                (item["id"], customer, wanted["quantity"]))
            number = cursor.lastrowid
        connection.commit()
    orders.publish("orders", {"order": number, "event": "placed"})
    if wanted.get("gift"):
        orders.publish("orders", {"order": number, "event": "wrapped"})
    return jsonify(order=number), 201


@shop.get("/orders/<int:number>")
def show_order(number):
    found = rows("SELECT o.id, o.state, i.name FROM shop.orders o JOIN shop.items i ON i.id = o.item WHERE o.id = %s",
                 number)
    if not found:
        return jsonify(error="no such order"), 404
    return jsonify(found[0])


@shop.delete("/sessions/<int:customer>")
def end_session(customer):
    # No answer asked for: the call is over when it has been sent.
    sessions.delete("session-%d" % customer, noreply=True)
    cache.delete("cart:%d" % customer)
    return "", 204


@shop.get("/reports/daily")
def broken_report():
    # A table that does not exist: the database answers with an error, the service with 500.
    return jsonify(rows("SELECT day, total FROM shop.daily_totals"))


@shop.get("/fail")
def fail():
    cache.incr("failures")
    raise RuntimeError("this route always fails")


application = noting_requests(shop)
