import { QUOTE, textBehind } from './field-text.js'

/** Bytes of an envelope in which the name of its operation begins. */
const SEEN = 512
const METHOD = Buffer.from('method')
const EVENT_TYPE = Buffer.from('event_type')
const LONGEST = 128
const NAME = /^[A-Za-z_][\w.:-]*$/
/** What stands in front of the first field of the message proper. */
const MESSAGE_BEGINS = 48

/** What a message of oslo.messaging asks for or tells. */
export interface Operation {
  /** call: a remote call's or cast's method; notification: its event type (`compute.instance.create.end`). */
  readonly kind: 'call' | 'notification'
  readonly name: string
}

const indexOf = Buffer.prototype.indexOf as unknown as (this: Uint8Array, value: Uint8Array, from: number) => number

/**
 * Looks at the first bytes of an envelope, bytes[start, end). A call's method is its first field; a notification's event
 * type stands behind its id, its publisher and, in some releases, its time. An answer has neither.
 */
export function operationIn(bytes: Uint8Array, start: number, end: number): Operation | undefined {
  const piece = bytes.subarray(start, Math.min(end, start + SEEN))
  const at = fieldAt(piece, METHOD)
  if (at !== -1 && at < MESSAGE_BEGINS) {
    const name = nameBehind(piece, at + METHOD.length)
    if (name !== undefined) return { kind: 'call', name }
  }
  const typeAt = fieldAt(piece, EVENT_TYPE)
  const type = typeAt === -1 ? undefined : nameBehind(piece, typeAt + EVENT_TYPE.length)
  return type === undefined ? undefined : { kind: 'notification', name: type }
}

/** Where the field's name begins; it follows a quote. */
function fieldAt(piece: Uint8Array, field: Uint8Array): number {
  for (let at = indexOf.call(piece, field, 0); at >= 0; at = indexOf.call(piece, field, at + 1)) {
    if (piece[at - 1] === QUOTE) return at
  }
  return -1
}

function nameBehind(piece: Uint8Array, nameEnd: number): string | undefined {
  const name = textBehind(piece, nameEnd, LONGEST)
  return name !== undefined && NAME.test(name) ? name : undefined
}

/**
 * Topic of a routing key: a call to one server has its name behind a dot (`compute.node-7`), a fanout goes to an exchange of
 * its own (`compute_fanout`). Topics that are versioned objects keep their version (`neutron-vo-Port-1.1`).
 */
export function topicOf(exchangeName: string, routingKey: string): string {
  const name = routingKey === '' ? exchangeName.replace(/_fanout$/, '') : routingKey
  const dot = name.search(/\.(?!\d+($|\.))/)
  return (dot === -1 ? name : name.slice(0, dot)).replace(/_fanout$/, '').slice(0, LONGEST)
}
