import { amqp } from './amqp/index.js'
import { http } from './http/index.js'
import { memcached } from './memcached/index.js'
import { mysql } from './mysql/index.js'
import type { ProtocolModule } from './protocol.js'
import { redis } from './redis/index.js'

/** Every protocol that is read, in the order in which the first bytes of a connection are shown to them. */
export const protocolModules: readonly ProtocolModule[] = [http, amqp, mysql, redis, memcached]
