"""gevent's WSGI server: all requests on one thread; calls by the request's own greenlet and by ones that it spawned."""
from gevent import monkey

monkey.patch_all()

import os
import random

import blocking
import gevent
import gevent.pool
import gevent.pywsgi


def grandchild(marker, number):
    blocking.nap()
    blocking.call(marker, number)


def child(marker, number):
    blocking.nap()
    blocking.call(marker, number)
    if number % 2:
        gevent.spawn(grandchild, marker, number + 10).join()


def application(environ, start_response):
    marker = blocking.marker_of(environ["PATH_INFO"])
    blocking.work(marker)
    children = [gevent.spawn(child, marker, number) for number in (4, 5)]
    gevent.pool.Pool(2).map(lambda number: child(marker, number), (6, 7))
    gevent.joinall(children)
    blocking.call(marker, 8)
    body = blocking.body_of(marker)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def background():
    number = 0
    while True:
        gevent.sleep(random.uniform(0.004, 0.01))
        number += 1
        blocking.call("B%d-%d" % (os.getpid(), number), 1)
        gevent.spawn(blocking.call, "B%d-%d" % (os.getpid(), number), 2)


gevent.spawn(background)
gevent.pywsgi.WSGIServer(("127.0.0.1", int(os.environ["PORT"])), application, log=None, backlog=1024).serve_forever()
