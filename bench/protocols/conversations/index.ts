import type { Conversation } from '../conversation.js'
import { amqp } from './amqp.js'
import { memcached, redis } from './caches.js'
import { fastcgi, uwsgi } from './cgi.js'
import { mysql, postgresql, postgresqlPrepared } from './databases.js'
import { dns } from './dns.js'
import { grpcCalls } from './grpc.js'
import { http } from './http.js'
import { http2, http2Ways } from './http2.js'
import { kafka } from './kafka.js'

/** Every conversation that there is. */
export const conversations: readonly Conversation[] = [
  http,
  http2,
  http2Ways,
  grpcCalls,
  mysql,
  postgresql,
  postgresqlPrepared,
  amqp,
  redis,
  memcached,
  kafka,
  dns,
  uwsgi,
  fastcgi,
]
