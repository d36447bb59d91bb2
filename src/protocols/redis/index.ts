import type { ProtocolModule } from '../protocol.js'
import { detect } from './detect.js'
import { LEAN, RedisConnection } from './pair.js'

/** Redis and what speaks its protocol (Valkey, KeyDB, Dragonfly): RESP 2 and 3. */
export const redis: ProtocolModule = {
  name: 'redis',
  leaf: true,
  wants: LEAN,
  detect,
  open: options => new RedisConnection(options),
}
