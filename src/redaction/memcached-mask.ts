import { MemcachedClientMask } from './memcached-client-mask.js'
import { MemcachedServerMask } from './memcached-server-mask.js'
import type { MaskOptions, ProtocolMask } from './protocol-mask.js'

export function createMemcachedMask({ pseudonyms, lost }: MaskOptions): ProtocolMask {
  const server = new MemcachedServerMask(pseudonyms, lost.server)
  return { client: new MemcachedClientMask(pseudonyms, lost.client), server, answerIsNext: () => server.answerIsNext() }
}
