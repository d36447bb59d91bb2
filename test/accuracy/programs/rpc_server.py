"""An oslo.messaging RPC server with the eventlet executor: rpc_server.py BROKER GREENLETS"""
import eventlet

eventlet.monkey_patch()

import os
import sys

import blocking
import oslo_messaging
from oslo_config import cfg


class Endpoint:
    target = oslo_messaging.Target(version="1.0")

    def work(self, context, marker):
        blocking.work(marker)
        eventlet.spawn(blocking.call, marker, 5).wait()
        return marker

    def note(self, context, marker):
        """A cast: nobody waits."""
        blocking.nap(0.01)
        blocking.call_afresh(marker, 6)
        blocking.call(marker, 7)


cfg.CONF([], project="accuracy")
transport = oslo_messaging.get_rpc_transport(cfg.CONF, url=sys.argv[1])
target = oslo_messaging.Target(topic="accuracy", server="one")
server = oslo_messaging.get_rpc_server(transport, target, [Endpoint()], executor="eventlet")
server.start(override_pool_size=int(sys.argv[2]))
# Says that it is ready: whoever starts it waits for this port.
listener = eventlet.listen(("127.0.0.1", int(os.environ["PORT"])))
while True:
    eventlet.sleep(1)
