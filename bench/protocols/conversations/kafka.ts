import type { KafkaCall } from '../../../src/protocols/kafka/call.js'
import type { KafkaMessage } from '../../../src/protocols/kafka/message.js'
import { kafkaBroker, startKafka } from '../../../test/support/kafka-broker.js'
import { pythonModule } from '../../../test/support/requirements.js'
import type { Conversation } from '../conversation.js'
import { readOf } from './exchange-text.js'
import { runPythonClient } from './python-client.js'

/** A broker of Kafka's own, and librdkafka: a producer that waits for each answer, a consumer beside it. */
export const kafka: Conversation = {
  name: 'kafka',
  goal: 5,
  countedByTshark: true,
  needs: [...kafkaBroker, pythonModule('confluent_kafka')],
  start: async folder => {
    const { port, stop } = await startKafka()
    return { port, talk: requests => runPythonClient('kafka', port, requests, folder), stop }
  },
  tshark: {
    usualPort: 9092,
    decodeAs: ports => ports.map(port => `tcp.port==${port},kafka`),
    filter: ports => `kafka.api_key and (${ports.map(port => `tcp.dstport == ${port}`).join(' or ')})`,
    fields: ['kafka.api_key', 'kafka.api_version', 'kafka.correlation_id', 'kafka.client_id'],
    theirs: rows =>
      rows.flatMap(([keys = [], versions = [], ids = [], clients = []]) =>
        keys.map((key, i) => [key, versions[i], ids[i], clients[i]].join(' ')),
      ),
    ours: read =>
      read.flatMap(({ exchange }) => {
        if (exchange.protocol !== 'kafka' || exchange.shape !== 'call') return []
        const { api, version, correlationId, clientId } = exchange as KafkaCall
        return [[api.key, version, correlationId, clientId].join(' ')]
      }),
  },
  seen: read =>
    readOf(read, 'kafka').flatMap(({ exchange }) => {
      if (exchange.shape !== 'message') return []
      const { partition, offset, count, attributes, initiator } = exchange as KafkaMessage
      const topic = attributes['messaging.destination.name']
      const verb = initiator === 'client' ? 'produce' : 'consume'
      return Array.from({ length: count }, (_, i) => `${verb} ${topic} ${partition} ${offset! + i}`)
    }),
}
