"""An API in front of an RPC server, on eventlet: rpc_front.py BROKER call|cast|both"""
import eventlet

eventlet.monkey_patch()

import os
import sys

import blocking
import oslo_messaging
from eventlet import wsgi
from oslo_config import cfg

CALLS, CASTS = sys.argv[2] in ("call", "both"), sys.argv[2] in ("cast", "both")
cfg.CONF([], project="accuracy")
transport = oslo_messaging.get_rpc_transport(cfg.CONF, url=sys.argv[1])
client = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic="accuracy", version="1.0"))


def application(environ, start_response):
    marker = blocking.marker_of(environ["PATH_INFO"])
    context = {"request_id": "req-" + marker}
    if CALLS:
        client.call(context, "work", marker=marker)
    if CASTS:
        client.cast(context, "note", marker=marker)
    body = blocking.body_of(marker)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


wsgi.server(
    eventlet.listen(("127.0.0.1", int(os.environ["PORT"])), backlog=1024), application, log_output=False, max_size=2000)
