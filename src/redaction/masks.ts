import { createAmqpMask } from './amqp-mask.js'
import { createHttpMask } from './http-mask.js'
import { createMemcachedMask } from './memcached-mask.js'
import { createMysqlMask } from './mysql-mask.js'
import type { CreateMask } from './protocol-mask.js'
import { createRedisMask } from './redis-mask.js'

/** By the protocol module's name. Connections of a protocol that has no mask are blanked whole. */
export const masks: ReadonlyMap<string, CreateMask> = new Map([
  ['http', createHttpMask],
  ['amqp', createAmqpMask],
  ['mysql', createMysqlMask],
  ['redis', createRedisMask],
  ['memcached', createMemcachedMask],
])
