"""A WSGI application for servers that run one request per thread."""

import blocking


def application(environ, start_response):
    blocking.start_background()
    marker = blocking.marker_of(environ["PATH_INFO"])
    blocking.work(marker)
    body = blocking.body_of(marker)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
