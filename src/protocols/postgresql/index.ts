import type { ProtocolModule } from '../protocol.js'
import { detect } from './detect.js'
import { PostgresqlConnection } from './pair.js'

/** PostgreSQL, protocol 3. */
export const postgresql: ProtocolModule = {
  name: 'postgresql',
  leaf: true,
  // The text of statements, and where an answer begins and how it ends: ReadyForQuery has six bytes.
  wants: { clientHead: 1024, clientTail: 0, serverHead: 256, serverTail: 16, countOnly: false },
  detect,
  open: options => new PostgresqlConnection(options),
}
