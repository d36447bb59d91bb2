# SPDX-License-Identifier: Apache-2.0
"""
Conversations over loopback TCP for connections.live.test.ts: a server that answers and closes, and its clients.

conversations.py CONNECTIONS CALLS: each connection sends CALLS requests of varying length and reads an answer of
varying length to each; the server closes right after its last answer. The byte at position p of either direction is
p % 251, so that what was copied proves its position.
"""
import random
import socket
import sys
import threading

connections, calls = int(sys.argv[1]), int(sys.argv[2])
pattern = bytes(position % 251 for position in range(251)) * 400
chance = random.Random(7)


def piece(position, length):
    start = position % 251
    return pattern[start : start + length]


def read_whole(sock, length):
    got = 0
    while got < length:
        more = len(sock.recv(chance.choice((40, 300, 4096, 20000))))
        if more == 0:
            raise EOFError(f"{got} of {length}")
        got += more


def serve(sock, plan):
    position = 0
    for request, answer in plan:
        read_whole(sock, request)
        sock.sendall(piece(position, answer))
        position += answer
    sock.close()


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)
for _ in range(connections):
    plan = [(chance.randint(1, 3000), chance.randint(1, 9000)) for _ in range(calls)]
    client = socket.create_connection(listener.getsockname())
    far, _ = listener.accept()
    server = threading.Thread(target=serve, args=(far, plan))
    server.start()
    position = 0
    for request, answer in plan:
        client.sendall(piece(position, request))
        position += request
        read_whole(client, answer)
    server.join()
    assert client.recv(100) == b""
    client.close()
print("done", flush=True)
