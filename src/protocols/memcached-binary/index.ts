import type { CopyPolicy, ProtocolModule } from '../protocol.js'
import { detectBinary } from './detect.js'
import { BinaryConnection } from './pair.js'

/** Header, extras and a key; several quiet gets in one call are common. */
const WANTS: CopyPolicy = { clientHead: 512, serverHead: 256, clientTail: 0, serverTail: 24, countOnly: false }

/** memcached's binary protocol. */
export const memcachedBinary: ProtocolModule = {
  name: 'memcached-binary',
  leaf: true,
  wants: WANTS,
  detect: detectBinary,
  open: options => new BinaryConnection(options),
}
