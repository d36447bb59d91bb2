"""Takes OTLP/HTTP and counts spans: prints its port; GET / answers {"spans": n, "withParent": n}."""
import gzip
import http.server
import json

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

counts = {'spans': 0, 'withParent': 0}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length']))
        if self.headers.get('content-encoding') == 'gzip':
            body = gzip.decompress(body)
        if self.path.endswith('traces'):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    counts['spans'] += len(scope.spans)
                    counts['withParent'] += sum(1 for span in scope.spans if span.parent_span_id)
        self.answer(b'')

    def do_GET(self):
        self.answer(json.dumps(counts).encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
