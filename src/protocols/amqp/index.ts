import type { ProtocolModule } from '../protocol.js'
import { detect } from './detect.js'
import { AmqpConnection } from './pair.js'

/** AMQP 0-9-1, as RabbitMQ speaks it. */
export const amqp: ProtocolModule = {
  name: 'amqp',
  // Brokers pass messages on; what a consumer does with one is its own operation, found by content.
  leaf: true,
  // Bodies carry identifiers near their start and, oslo.messaging's, near their end; see body-hash.ts for the bounds.
  wants: { clientHead: 4096, clientTail: 512, serverHead: 4096, serverTail: 512, countOnly: false },
  detect,
  open: options => new AmqpConnection(options),
}
