"""WSGI middleware that notes every request a service receives (see truth.py)."""

import io

import truth


def noting_requests(application):
    def wrapped(environ, start_response):
        sock = environ["gunicorn.socket"]
        # All of the body is read here, so that the next request on the connection begins where this one ends.
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
        position = sock.request_end
        sock.request_end = sock.received
        name = "%s %s" % (environ["REQUEST_METHOD"], environ["PATH_INFO"])
        # Set by the demo's load on the outermost request only; for this log, and nothing else reads it.
        request = environ.get("HTTP_X_DEMO_REQUEST")
        status = []

        def answering(line, headers, exc_info=None):
            status.append(int(line.split(" ", 1)[0]))
            return start_response(line, headers, exc_info)

        with truth.Operation("server", "http", sock, position, name, request=request) as operation:
            try:
                return [b"".join(application(environ, answering))]
            finally:
                operation.finish(status=status[-1] if status else 0)

    return wrapped
