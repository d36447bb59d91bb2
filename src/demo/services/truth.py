"""What each demo service notes about itself: the ground truth that Ghostspan's links are judged by.

Every operation (a request or message that was received, a call or message that was sent) becomes one JSON line with
the two ports of its connection and the position of its first byte: how many bytes had gone before it in its
direction since the connection was opened. Nothing of this is sent to anyone.
"""

import json
import os
import socket
import threading
import time


class CountingSocket(socket.socket):
    """A socket that knows how many bytes have gone through it in each direction."""

    sent = 0
    received = 0
    # Received bytes up to the end of the last request that was read whole.
    request_end = 0

    def send(self, data, *args):
        count = super().send(data, *args)
        self.sent += count
        return count

    def sendall(self, data, *args):
        super().sendall(data, *args)
        self.sent += memoryview(data).nbytes

    def sendmsg(self, buffers, *args):
        count = super().sendmsg(buffers, *args)
        self.sent += count
        return count

    def recv(self, *args):
        data = super().recv(*args)
        self.received += len(data)
        return data

    def recv_into(self, *args, **kwargs):
        count = super().recv_into(*args, **kwargs)
        self.received += count
        return count


# Before any client library is imported: they all make their sockets through this name.
socket.socket = CountingSocket

_file = None
_file_lock = threading.Lock()
_here = threading.local()


def _write(record):
    global _file
    line = json.dumps(record, separators=(",", ":")) + "\n"
    with _file_lock:
        # Opened late: a gunicorn worker must not share the file of the process it was forked from.
        if _file is None:
            name = "%s-%d.jsonl" % (os.environ["DEMO_SERVICE"], os.getpid())
            _file = open(os.path.join(os.environ["DEMO_TRUTH"], name), "a", buffering=1, encoding="utf-8")
        _file.write(line)


def ports(sock):
    return sock.getsockname()[1], sock.getpeername()[1]


class Operation:
    """An operation that was received and is being worked on; calls made meanwhile belong to it."""

    def __init__(self, kind, protocol, sock, position, name, **more):
        local, remote = ports(sock)
        self.record = {
            "kind": kind,
            "service": os.environ["DEMO_SERVICE"],
            "protocol": protocol,
            "name": name,
            "local": local,
            "remote": remote,
            "position": position,
            "at": time.time(),
            **more,
        }
        self.key = [local, remote, position]

    def __enter__(self):
        _here.operation = self
        return self

    def __exit__(self, *_):
        _here.operation = None

    def finish(self, **more):
        """Written when the work is done, so that a line means a whole operation."""
        self.record.update(more)
        _write(self.record)


def current():
    return getattr(_here, "operation", None)


def note_call(kind, protocol, sock, position, name, **more):
    """A call (or a message) is about to be sent on `sock`, its first byte at `position`."""
    local, remote = ports(sock)
    owner = current()
    _write({
        "kind": kind,
        "service": os.environ["DEMO_SERVICE"],
        "protocol": protocol,
        "name": name,
        "local": local,
        "remote": remote,
        "position": position,
        "at": time.time(),
        "in": owner.key if owner is not None else None,
        **more,
    })
