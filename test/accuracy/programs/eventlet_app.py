"""eventlet's WSGI server: all requests of a process on one thread.

Arguments: keepalive=0|1, spawn=1 (calls by greenlets that the request spawned, two levels), background=1, deep=N
(Python frames under each call), workers=N (forks as oslo.service does, a moment after the start).
"""
import eventlet

eventlet.monkey_patch()

import os
import random
import signal
import sys

import blocking
from eventlet import greenpool, hubs, patcher, wsgi

OPTIONS = dict(argument.split("=") for argument in sys.argv[1:])


def option(name):
    return int(OPTIONS.get(name, "0"))


def deeply(levels, function, *arguments):
    return function(*arguments) if levels <= 0 else deeply(levels - 1, function, *arguments)


def grandchild(marker, number):
    blocking.nap()
    blocking.call(marker, number)


def child(marker, number):
    blocking.nap()
    blocking.call(marker, number)
    if number % 2:
        eventlet.spawn(grandchild, marker, number + 10).wait()


def application(environ, start_response):
    marker = blocking.marker_of(environ["PATH_INFO"])
    deeply(option("deep"), blocking.work, marker)
    if option("spawn"):
        children = [eventlet.spawn(child, marker, number) for number in (4, 5)]
        for _ in greenpool.GreenPool(2).imap(lambda number: child(marker, number), (6, 7)):
            pass
        for each in children:
            each.wait()
        blocking.call(marker, 8)
    body = blocking.body_of(marker)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def background():
    """Now and then; with short-lived greenlets, which take the addresses of those of requests that are over."""
    number = 0
    while True:
        eventlet.sleep(random.uniform(0.004, 0.01))
        number += 1
        blocking.call("B%d-%d" % (os.getpid(), number), 1)
        eventlet.spawn_n(blocking.call, "B%d-%d" % (os.getpid(), number), 2)


def call_from_hub(state={"number": 0, "socket": None}):
    """In the hub's own greenlet nothing may block: the answer is read before the next call."""
    if state["socket"] is None:
        state["socket"] = patcher.original("socket").create_connection(("127.0.0.1", blocking.BACKEND))
        state["socket"].setblocking(False)
    else:
        try:
            state["socket"].recv(4096)
        except BlockingIOError:
            hubs.get_hub().schedule_call_global(0.01, call_from_hub)
            return
    state["number"] += 1
    state["socket"].send(b"GET /m/Bhub%d-%d/1 HTTP/1.1\r\nHost: b\r\n\r\n" % (os.getpid(), state["number"]))
    hubs.get_hub().schedule_call_global(0.02, call_from_hub)


def serve(listener):
    if option("background"):
        eventlet.spawn(background)
        hubs.get_hub().schedule_call_global(0.01, call_from_hub)
    wsgi.server(listener, application, log_output=False, keepalive=OPTIONS.get("keepalive") != "0", max_size=2000)


def main():
    listener = eventlet.listen(("127.0.0.1", int(os.environ["PORT"])), backlog=1024)
    if not option("workers"):
        return serve(listener)
    # By now the parent is watched.
    eventlet.sleep(1)
    workers = []
    for _ in range(option("workers")):
        pid = os.fork()
        if pid == 0:
            return serve(listener)
        workers.append(pid)

    def end(*_):
        for pid in workers:
            os.kill(pid, signal.SIGTERM)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        eventlet.sleep(1)


main()
