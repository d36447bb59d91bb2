import type { ProtocolModule } from '../protocol.js'
import { detect } from './detect.js'
import { LEAN, MemcachedConnection } from './pair.js'

/** memcached's text protocol with its meta commands. */
export const memcached: ProtocolModule = {
  name: 'memcached',
  leaf: true,
  wants: LEAN,
  detect,
  open: options => new MemcachedConnection(options),
}
