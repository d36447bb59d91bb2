"""
greenlets.py eventlet|gevent PORT BACKEND_PORT WORKERS: a WSGI service on one thread.

GET /m/<mark> makes four calls, GET /m/<mark>/<n>: one after a sleep, one from a spawned greenlet, one from a greenlet
that this one spawned, one more. Beside it, greenlets of no request call /m/B<n>.
"""
import os
import sys

kind, port, backend, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
if kind == "eventlet":
    import eventlet

    eventlet.monkey_patch()
    from eventlet import sleep, spawn, wsgi

    wait = lambda thread: thread.wait()
else:
    from gevent import monkey

    monkey.patch_all()
    from gevent import pywsgi, sleep, spawn

    wait = lambda thread: thread.get()
import http.client
import random
import socket


def call(path):
    connection = http.client.HTTPConnection("127.0.0.1", backend)
    connection.request("GET", path)
    connection.getresponse().read()
    connection.close()


def nested(mark):
    call(f"/m/{mark}/2")
    wait(spawn(call, f"/m/{mark}/3"))


def service(environ, start_response):
    mark = environ["PATH_INFO"].split("/")[2]
    call(f"/m/{mark}/0")
    sleep(random.random() / 500)
    call(f"/m/{mark}/1")
    wait(spawn(nested, mark))
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def background(number):
    while True:
        sleep(random.random() / 50)
        wait(spawn(call, f"/m/B{number}/0"))


if kind == "eventlet":
    listener = eventlet.listen(("127.0.0.1", port), backlog=512)
else:
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    listener.setblocking(False)
for _ in range(workers):
    if os.fork() == 0:
        break
else:
    if workers > 0:
        os.waitpid(-1, 0)
        sys.exit()
for number in range(2):
    spawn(background, number)
if kind == "eventlet":
    wsgi.server(listener, service, log_output=False, max_size=2000)
else:
    pywsgi.WSGIServer(listener, service, log=None).serve_forever()
