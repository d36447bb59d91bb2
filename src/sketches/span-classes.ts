import { Attribute } from '../protocols/attribute-names.js'
import type { FinishedSpan, FinishedSpanKind } from '../traces/span.js'

const ENDINGS = ['ok', 'error', '1xx', '2xx', '3xx', '4xx', '5xx'] as const

const classesOf = (kind: FinishedSpanKind): readonly string[] => ENDINGS.map(ending => `${kind} ${ending}`)

const CLASSES: Readonly<Record<FinishedSpanKind, readonly string[]>> = {
  server: classesOf('server'),
  client: classesOf('client'),
  producer: classesOf('producer'),
  consumer: classesOf('consumer'),
  internal: classesOf('internal'),
}

/** Which end was seen and how the call ended, coarse enough to be a key: `server 2xx`, `client ok`, `consumer error`. */
export function statusClass({ attributes, status, kind }: FinishedSpan): string {
  const code = attributes[Attribute.httpResponseStatusCode]
  if (typeof code === 'number' && code >= 100 && code < 600) return CLASSES[kind][Math.floor(code / 100) + 1]!
  return CLASSES[kind][status.code === 'error' ? 1 : 0]!
}

/** Whom a call went to, where the far end is not traced: `mysql 10.0.0.7:3306`, `rabbitmq orders`. */
export function untracedPeer({ attributes, sample }: FinishedSpan): string {
  const system = attributes[Attribute.dbSystemName] ?? attributes[Attribute.messagingSystem]
  const queue = attributes[Attribute.messagingDestinationName]
  if (typeof queue === 'string') return `${system ?? sample.protocol} ${queue}`
  return `${system ?? sample.protocol} ${sample.remote}`
}
