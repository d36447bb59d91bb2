import type { InputStream } from '../input-stream.js'
import type { ConnectionOptions, ProtocolConnection, Sender } from '../protocol.js'
import { ClientMessages } from './client-messages.js'
import { Dialogue } from './dialogue.js'
import { ServerMessages } from './server-messages.js'

/** One PostgreSQL connection: messages of both directions in, operations out. */
export class PostgresqlConnection implements ProtocolConnection {
  readonly #dialogue: Dialogue
  readonly #client: ClientMessages
  readonly #server: ServerMessages

  constructor(options: ConnectionOptions) {
    this.#dialogue = new Dialogue(options)
    this.#client = new ClientMessages(this.#dialogue, options.joined)
    this.#server = new ServerMessages(this.#dialogue, options.joined)
  }

  get failed(): boolean {
    return this.#dialogue.failed
  }

  read(sender: Sender, stream: InputStream): void {
    if (this.#dialogue.failed || stream.skipping) return
    if (sender === 'client') this.#client.read(stream)
    else this.#server.read(stream)
  }

  close(): void {
    const { lost, lastSeen, lastSeenNs } = this.#dialogue
    if (lost) this.#dialogue.endLost(lastSeen, lastSeenNs)
    this.#dialogue.close()
  }
}
