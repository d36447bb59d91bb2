"""One thread reads all requests and hands them to a pool of 20: pool_app.py worker|back

worker: whoever works on a request answers it. back: the result is handed back and the first thread answers.
"""
import os
import queue
import selectors
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import blocking

BACK = sys.argv[1] == "back"
pool = ThreadPoolExecutor(20)
selector = selectors.DefaultSelector()
results = queue.SimpleQueue()
woken, wake = socket.socketpair()
woken.setblocking(False)


def answer(client, marker):
    body = blocking.body_of(marker)
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def job(client, marker):
    blocking.work(marker)
    if not BACK:
        return answer(client, marker)
    results.put((client, marker))
    wake.send(b"x")


def answer_all():
    try:
        woken.recv(4096)
    except BlockingIOError:
        pass
    while not results.empty():
        answer(*results.get())


def read(client):
    data = client.recv(4096)
    if not data:
        selector.unregister(client)
        client.close()
        return
    pool.submit(job, client, blocking.marker_of(data.split(b" ")[1].decode()))


blocking.start_background()
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=1024)
selector.register(listener, selectors.EVENT_READ)
selector.register(woken, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        if key.fileobj is listener:
            selector.register(listener.accept()[0], selectors.EVENT_READ)
        elif key.fileobj is woken:
            answer_all()
        else:
            read(key.fileobj)
