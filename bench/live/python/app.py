"""The service that is measured: MariaDB (2 calls), Redis (2), memcached (1) and an HTTP backend (1) a request, one
connection of each kind per thread. Ports come from the environment: DB_PORT, REDIS_PORT, MEMCACHED_PORT, BACKEND_PORT."""
import os
import threading

import flask
import pymysql
import redis
import requests
from pymemcache.client.base import Client

app = flask.Flask('peer')
local = threading.local()


def port(name):
    return int(os.environ[name])


def connections():
    if not hasattr(local, 'db'):
        local.db = pymysql.connect(host='127.0.0.1', port=port('DB_PORT'), user='u', password='u', database='t', autocommit=True)
        local.redis = redis.Redis(port=port('REDIS_PORT'))
        local.cache = Client(('127.0.0.1', port('MEMCACHED_PORT')))
        local.http = requests.Session()
    return local


@app.route('/')
def root():
    c = connections()
    token = c.cache.get('token')
    cursor = c.db.cursor()
    cursor.execute('select id, name from i where id=%s', (7,))
    row = cursor.fetchone()
    c.redis.set('last', row[1])
    c.redis.get('last')
    backend = c.http.get('http://127.0.0.1:%d/k.txt' % port('BACKEND_PORT')).content
    cursor.execute('update i set name=%s where id=%s', ('n7', 7))
    cursor.close()
    return {'row': row[1], 'backend': len(backend), 'token': token is not None}
