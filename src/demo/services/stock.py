"""The demo's second API: how much of an item is there. Called by the shop and by the worker."""

import clients  # first: it replaces socket.socket

from flask import Flask, jsonify, request

from received import noting_requests

api = Flask("stock")
database = clients.mysql_pool(3)
cache = clients.redis_client(3)

database.fill()


@api.get("/health")
def health():
    return jsonify(ok=True)


@api.get("/stock/<int:item>")
def show(item):
    cache.get("reserved:%d" % item)
    with database.take() as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT quantity FROM shop.stock WHERE item = %s", (item,))
            found = cursor.fetchone()
        connection.commit()
    if found is None:
        return jsonify(error="no such item"), 404
    return jsonify(item=item, quantity=found[0])


@api.post("/reservations")
def reserve():
    wanted = request.get_json()
    with database.take() as connection:
        with connection.cursor() as cursor:
            changed = cursor.execute(
                "UPDATE shop.stock SET quantity = quantity - %s WHERE item = %s AND quantity >= %s",
                (wanted["quantity"], wanted["item"], wanted["quantity"]))
        connection.commit()
    if not changed:
        return jsonify(error="sold out"), 409
    cache.incr("reserved:%d" % wanted["item"])
    return jsonify(reserved=wanted["quantity"]), 201


application = noting_requests(api)
