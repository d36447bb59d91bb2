"""http.server with a thread for each connection; each request starts two threads of its own and waits for them."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import blocking


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        marker = blocking.marker_of(self.path)
        blocking.work(marker)
        children = [threading.Thread(target=blocking.call, args=(marker, number)) for number in (4, 5)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        body = blocking.body_of(marker)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1024


blocking.start_background()
Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
