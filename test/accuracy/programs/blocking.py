"""Blocking calls to the backend for services with threads; the marker in the target says for which request."""

import contextlib
import http.client
import os
import queue
import random
import threading
import time

BACKEND = int(os.environ["BACKEND_PORT"])
_free = queue.LifoQueue()


@contextlib.contextmanager
def _connection():
    """Connections are shared by all threads, so that they say nothing about who calls."""
    try:
        connection = _free.get_nowait()
    except queue.Empty:
        connection = http.client.HTTPConnection("127.0.0.1", BACKEND, timeout=30)
    yield connection
    _free.put(connection)


def _exchange(connection, marker, number):
    connection.request("GET", "/m/%s/%d" % (marker, number))
    connection.getresponse().read()


def call(marker, number):
    with _connection() as connection:
        _exchange(connection, marker, number)


def call_afresh(marker, number):
    """On a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", BACKEND, timeout=30)
    _exchange(connection, marker, number)
    connection.close()


def nap(most=0.004):
    time.sleep(random.random() * most)


def work(marker):
    """What a request does: two or three calls, with pauses, one on a connection of its own now and then."""
    call(marker, 1)
    nap()
    (call if random.random() < 0.7 else call_afresh)(marker, 2)
    if random.random() < 0.5:
        nap()
        call(marker, 3)


_background = threading.Lock()


def start_background():
    """Once in a process, and in one process of several as well as in each: calls that belong to no request."""
    if not _background.acquire(blocking=False):
        return

    def run():
        number = 0
        while True:
            time.sleep(random.uniform(0.004, 0.012))
            number += 1
            call("B%d-%d" % (os.getpid(), number), 1)

    threading.Thread(target=run, daemon=True).start()


def marker_of(path):
    return path.split("/")[2]


def body_of(marker):
    return b'{"m":"%s"}' % marker.encode()
