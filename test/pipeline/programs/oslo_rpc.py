"""oslo.messaging as it is: oslo_rpc.py server BROKER NAME BACKEND_PORT | oslo_rpc.py client BROKER CALLS"""

import http.client
import sys

import oslo_messaging
from oslo_config import cfg

ROLE, BROKER = sys.argv[1:3]
cfg.CONF([], project="ghostspan")


class Endpoint:
    target = oslo_messaging.Target(version="1.0")

    def __init__(self, port):
        self.port = port

    def work(self, context, number, text):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/work")
        connection.getresponse().read()
        connection.close()
        return number

    def note(self, context, number, text):
        pass


def serve(name, port):
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url=BROKER)
    target = oslo_messaging.Target(topic="tasks", server=name)
    server = oslo_messaging.get_rpc_server(transport, target, [Endpoint(port)], executor="threading")
    server.start()
    print("ready", flush=True)
    server.wait()


def ask(calls):
    """Bodies of 9 KB, so that the identifiers stand where only the end of a call shows them."""
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url=BROKER)
    target = oslo_messaging.Target(topic="tasks", version="1.0")
    client = oslo_messaging.get_rpc_client(transport, target)
    text = "x" * 9000
    for number in range(calls):
        context = {"request_id": "req-%08x-0000-0000-0000-000000000000" % number}
        assert client.prepare(server="one").call(context, "work", number=number, text=text) == number
        client.prepare(server="two").cast(context, "note", number=number, text=text)
        client.prepare(fanout=True).cast(context, "note", number=number, text=text)


if ROLE == "server":
    serve(sys.argv[3], int(sys.argv[4]))
else:
    ask(int(sys.argv[3]))
