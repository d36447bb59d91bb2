import type { ProtocolModule } from '../protocol.js'
import { detect } from './detect.js'
import { KafkaConnection } from './pair.js'

/** Apache Kafka and what speaks its protocol. */
export const kafka: ProtocolModule = {
  name: 'kafka',
  // Brokers pass records on; what a consumer does with one is its own operation, found by content.
  leaf: true,
  // Topic, partition and the head of a batch come early; oslo.messaging's identifiers come late in a value.
  wants: { clientHead: 4096, clientTail: 0, serverHead: 4096, serverTail: 0, countOnly: false },
  detect,
  open: options => new KafkaConnection(options),
}
