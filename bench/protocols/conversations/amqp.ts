import { startRabbitmq } from '../../../test/support/rabbitmq-server.js'
import { program, pythonModule } from '../../../test/support/requirements.js'
import type { ReadExchange } from '../../score/capture-exchanges.js'
import type { TsharkView } from '../../score/tshark-views.js'
import type { Conversation } from '../conversation.js'
import { readOf } from './exchange-text.js'
import { runPythonClient } from './python-client.js'

const MESSAGES: Readonly<Record<string, string>> = { '60.40': 'publish', '60.60': 'deliver', '60.71': 'deliver' }
/** Methods with an exchange, and those with a routing key, whose values tshark lists apart from the methods. */
const WITH_EXCHANGE = new Set(['40.10', '40.20', '50.20', '50.50', '60.40', '60.50', '60.60', '60.71'])
const WITH_KEY = new Set(['50.20', '50.50', '60.40', '60.50', '60.60', '60.71'])

interface AmqpMessage {
  readonly exchangeName: string
  readonly routingKey: string
}

function placeOf({ exchange }: ReadExchange): string {
  const { exchangeName, routingKey } = exchange as unknown as AmqpMessage
  return `${exchange.name.startsWith('send ') ? 'publish' : 'deliver'} ${exchangeName} ${routingKey}`
}

const messagesOf = (read: readonly ReadExchange[]): readonly ReadExchange[] =>
  readOf(read, 'amqp').filter(({ exchange }) => exchange.shape === 'message')

const amqpView: TsharkView = {
  usualPort: 5672,
  decodeAs: ports => ports.map(port => `tcp.port==${port},amqp`),
  filter: () => 'amqp.method.class',
  fields: [
    'amqp.method.class',
    'amqp.method.method',
    'amqp.method.arguments.exchange',
    'amqp.method.arguments.routing_key',
  ],
  theirs: rows =>
    rows.flatMap(([classes = [], methods = [], exchanges = [], keys = []]) => {
      let [exchange, key] = [0, 0]
      return classes.flatMap((number, i) => {
        const method = `${number}.${methods[i]}`
        const place = [WITH_EXCHANGE, WITH_KEY].map((having, k) => {
          if (!having.has(method)) return ''
          return (k === 0 ? exchanges[exchange++] : keys[key++]) ?? ''
        })
        const kind = MESSAGES[method]
        return kind === undefined ? [] : [`${kind} ${place.join(' ')}`]
      })
    }),
  ours: read => messagesOf(read).map(placeOf),
}

/** RabbitMQ and pika: half of what is counted are messages that are published, half the same delivered. */
export const amqp: Conversation = {
  name: 'amqp',
  goal: 10,
  allocationGoal: 1_000,
  needs: [program('rabbitmq-server'), program('epmd'), pythonModule('pika')],
  start: async folder => {
    const { port, stop } = await startRabbitmq()
    return { port, talk: requests => runPythonClient('amqp', port, requests, folder), stop }
  },
  tshark: amqpView,
  seen: read => messagesOf(read).map(each => `${placeOf(each)} ${each.exchange.requestBodyBytes}`),
}
