"""waitress: one thread reads all requests, others work on them and answer."""

import os

import waitress
from wsgi_app import application

waitress.serve(
    application, host="127.0.0.1", port=int(os.environ["PORT"]), threads=20, backlog=1024, connection_limit=1000,
    _quiet=True)
