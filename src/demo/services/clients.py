"""The client libraries as the demo services use them: unchanged but for a note of every call (see truth.py)."""

import contextlib
import http.client
import json
import os
import queue

import truth  # first: it replaces socket.socket

import pika
import pymemcache.client.base
import pymysql
import pymysql.constants.COMMAND
import redis

HOST = "127.0.0.1"


def port(name):
    return int(os.environ["DEMO_%s_PORT" % name])


class Pool:
    """A few connections shared by all threads of the process; whoever needs one waits until one is free."""

    def __init__(self, make, size):
        self._free = queue.LifoQueue()
        self._make = make
        for _ in range(size):
            self._free.put(None)

    @contextlib.contextmanager
    def take(self):
        connection = self._free.get()
        if connection is None:
            connection = self._make()
        try:
            yield connection
        finally:
            self._free.put(connection)

    def fill(self):
        """Opens all connections now; they then exist before the first request."""
        with contextlib.ExitStack() as stack:
            while not self._free.empty():
                stack.enter_context(self.take())


class MySql(pymysql.connections.Connection):
    def _execute_command(self, command, sql):
        text = sql.decode("utf-8", "replace") if isinstance(sql, (bytes, bytearray)) else str(sql)
        is_query = command == pymysql.constants.COMMAND.COM_QUERY
        words = " ".join(text.split()[:3]) if is_query else "command %d" % command
        truth.note_call("client", "mysql", self._sock, self._sock.sent, words)
        super()._execute_command(command, sql)


def mysql_pool(size):
    return Pool(lambda: MySql(host=HOST, port=port("MYSQL"), user="shop", password="shop", database="shop"), size)


class RedisConnection(redis.Connection):
    _batch = ()

    def send_command(self, *args, **kwargs):
        self._batch = [self._noted(args)]
        super().send_command(*args, **kwargs)

    def pack_commands(self, commands):
        commands = list(commands)
        self._batch = [self._noted(command) for command in commands]
        return super().pack_commands(commands)

    def send_packed_command(self, command, check_health=True):
        if not self._sock:
            self.connect()
        position = self._sock.sent
        for name, size in self._batch:
            truth.note_call("client", "redis", self._sock, position, name)
            position += size
        self._batch = ()
        super().send_packed_command(command, check_health)

    def _noted(self, args):
        return str(args[0]), sum(len(piece) for piece in self.pack_command(*args))


def redis_client(size):
    pool = redis.BlockingConnectionPool(
        max_connections=size, timeout=30, connection_class=RedisConnection, host=HOST, port=port("REDIS"))
    return redis.Redis(connection_pool=pool)


class Memcached(pymemcache.client.base.Client):
    def _noted(self, name):
        if self.sock is None:
            self._connect()
        truth.note_call("client", "memcached", self.sock, self.sock.sent, name)

    def _fetch_cmd(self, name, *args, **kwargs):
        self._noted(name.decode())
        return super()._fetch_cmd(name, *args, **kwargs)

    def _store_cmd(self, name, *args, **kwargs):
        self._noted(name.decode())
        return super()._store_cmd(name, *args, **kwargs)

    def _misc_cmd(self, cmds, cmd_name, noreply):
        self._noted(cmd_name.decode() if isinstance(cmd_name, bytes) else cmd_name)
        return super()._misc_cmd(cmds, cmd_name, noreply)


class MemcachedPool(pymemcache.client.base.PooledClient):
    client_class = Memcached


def memcached_client():
    return MemcachedPool((HOST, port("MEMCACHED")), default_noreply=False, timeout=10)


class StockClient:
    """The second API over HTTP, on kept-alive connections."""

    def __init__(self, size):
        self._pool = Pool(self._connect, size)

    @staticmethod
    def _connect():
        connection = http.client.HTTPConnection(HOST, port("STOCK"), timeout=30)
        connection.connect()
        return connection

    def fill(self):
        self._pool.fill()

    def call(self, method, path, body=None):
        headers = {"accept": "application/json"}
        data = None
        if body is not None:
            headers["content-type"] = "application/json"
            data = json.dumps(body).encode()
        with self._pool.take() as connection:
            if connection.sock is None:
                connection.connect()
            truth.note_call("client", "http", connection.sock, connection.sock.sent, "%s %s" % (method, path))
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            content = response.read()
        return response.status, json.loads(content) if content else None


class AmqpConnection(pika.SelectConnection):
    """Knows where in the stream the frame that is being processed began."""

    frame_start = 0

    def _trim_frame_buffer(self, byte_count):
        self.frame_start = self.bytes_received
        super()._trim_frame_buffer(byte_count)

    def _process_frame(self, frame_value):
        method = getattr(frame_value, "method", None)
        if isinstance(method, pika.spec.Basic.Deliver):
            method.position = self.frame_start
        super()._process_frame(frame_value)

    @property
    def socket(self):
        return self._transport._sock


def amqp_connection():
    # No heartbeats: the publishers' connections rest between requests.
    parameters = pika.ConnectionParameters(
        HOST, port("AMQP"), credentials=pika.PlainCredentials("shop", "shop"), heartbeat=0)
    return pika.BlockingConnection(parameters, _impl_class=AmqpConnection)


class Publisher:
    def __init__(self, size):
        self._pool = Pool(self._open, size)

    @staticmethod
    def _open():
        channel = amqp_connection().channel()
        channel.queue_declare("orders")
        channel.confirm_delivery()
        return channel

    def fill(self):
        self._pool.fill()

    def publish(self, queue_name, body):
        with self._pool.take() as channel:
            wire = channel.connection._impl
            truth.note_call(
                "producer", "amqp", wire.socket, wire.bytes_sent, "send %s" % queue_name, message=message_name(body))
            channel.basic_publish(
                "", queue_name, json.dumps(body).encode(), pika.BasicProperties(content_type="application/json"))


def message_name(body):
    """The same at both ends, from what the message is about."""
    return "order %d %s" % (body["order"], body["event"])
