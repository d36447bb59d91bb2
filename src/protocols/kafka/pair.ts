import type { InputStream } from '../input-stream.js'
import type { ConnectionOptions, CopyPolicy, ProtocolConnection, Sender } from '../protocol.js'
import { ClientRequests } from './client-requests.js'
import { Dialogue } from './dialogue.js'
import { ServerResponses } from './server-responses.js'

/** One Kafka connection: requests and answers in, calls and the batches that they carry out. */
export class KafkaConnection implements ProtocolConnection {
  readonly #dialogue: Dialogue
  readonly #client: ClientRequests
  readonly #server: ServerResponses

  constructor(options: ConnectionOptions) {
    this.#dialogue = new Dialogue(options)
    this.#client = new ClientRequests(this.#dialogue, options.joined)
    this.#server = new ServerResponses(this.#dialogue, options.joined)
  }

  get failed(): boolean {
    return this.#dialogue.failed
  }

  get wants(): CopyPolicy | undefined {
    return this.#dialogue.wants
  }

  read(sender: Sender, stream: InputStream): void {
    if (this.#dialogue.failed || stream.skipping) return
    if (sender === 'client') this.#client.read(stream)
    else this.#server.read(stream)
  }

  close(): void {
    this.#dialogue.close()
  }
}
