import type { MaskOptions, ProtocolMask } from './protocol-mask.js'
import { RedisClientMask } from './redis-client-mask.js'
import { RedisServerMask } from './redis-server-mask.js'

export function createRedisMask({ pseudonyms, lost }: MaskOptions): ProtocolMask {
  const server = new RedisServerMask(lost.server)
  return { client: new RedisClientMask(pseudonyms, lost.client), server, answerIsNext: () => server.answerIsNext() }
}
