import { MysqlClientMask } from './mysql-client-mask.js'
import { MysqlServerMask } from './mysql-server-mask.js'
import { MysqlTalk } from './mysql-talk.js'
import type { MaskOptions, ProtocolMask } from './protocol-mask.js'

export function createMysqlMask({ joined, lost }: MaskOptions): ProtocolMask {
  const talk = new MysqlTalk(joined)
  return { client: new MysqlClientMask(talk, lost.client), server: new MysqlServerMask(talk, lost.server) }
}
