import { amqp } from './amqp/index.js'
import { dns } from './dns/index.js'
import { fastcgi } from './fastcgi/index.js'
import { http } from './http/index.js'
import { http2 } from './http2/index.js'
import { kafka } from './kafka/index.js'
import { memcached } from './memcached/index.js'
import { memcachedBinary } from './memcached-binary/index.js'
import { mysql } from './mysql/index.js'
import { mysqlCompressed } from './mysql-compressed/index.js'
import { postgresql } from './postgresql/index.js'
import type { ProtocolModule } from './protocol.js'
import { redis } from './redis/index.js'
import { tls } from './tls/index.js'
import { uwsgi } from './uwsgi/index.js'

/** Every protocol that is read, in the order in which the first bytes of a connection are shown to them. */
export const protocolModules: readonly ProtocolModule[] = [
  http,
  http2,
  tls,
  amqp,
  kafka,
  mysql,
  mysqlCompressed,
  postgresql,
  redis,
  memcached,
  memcachedBinary,
  fastcgi,
  uwsgi,
  dns,
]
