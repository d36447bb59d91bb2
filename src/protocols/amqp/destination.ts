/** A destination as it stands in span names: parts that are made up per process or reply are taken out. */
export interface Destination {
  readonly name: string
  /** The broker made the name up. */
  readonly anonymous: boolean
  readonly send: string
  readonly process: string
}

const MOST = 4096
const known = new Map<string, Destination>()

/** UUIDs, hexadecimal ids as of oslo.messaging's reply queues, long numbers. */
const IDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,}|\d{6,}/gi
export const DIRECT_REPLY = 'amq.rabbitmq.reply-to'

/** @param name an exchange, a routing key or a queue. */
export function destinationOf(name: string): Destination {
  let destination = known.get(name)
  if (destination === undefined) {
    if (known.size >= MOST) known.clear()
    destination = describe(name)
    known.set(name, destination)
  }
  return destination
}

function describe(name: string): Destination {
  const anonymous = name.startsWith('amq.gen-')
  const short = anonymous
    ? 'amq.gen-{id}'
    : name.startsWith(DIRECT_REPLY)
      ? DIRECT_REPLY
      : name.replace(IDS, '{id}').slice(0, 128)
  const behind = short === '' ? '' : ` ${short}`
  return { name, anonymous, send: `send${behind}`, process: `process${behind}` }
}
