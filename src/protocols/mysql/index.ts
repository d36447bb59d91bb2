import type { ProtocolModule } from '../protocol.js'
import { detect } from './detect.js'
import { MysqlConnection } from './pair.js'

/** MySQL and MariaDB. */
export const mysql: ProtocolModule = {
  name: 'mysql',
  leaf: true,
  // The text of statements, and where an answer begins and how it ends: its last packet has at most 11 bytes.
  wants: { clientHead: 1024, clientTail: 0, serverHead: 256, serverTail: 16, countOnly: false },
  detect,
  open: options => new MysqlConnection(options),
}
