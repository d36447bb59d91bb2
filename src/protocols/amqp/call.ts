import type { Exchange, Sender } from '../protocol.js'
import { uint16 } from './wire-types.js'

/** A synchronous method: followed, but nothing that anybody waits for in the name of a request. */
export function createCall(initiator: Sender, name: string): Exchange {
  return {
    protocol: 'amqp',
    initiator,
    shape: 'call',
    name,
    attributes: {},
    clientError: undefined,
    serverError: undefined,
    contentKeys: [],
    truncated: false,
    housekeeping: true,
    requestBodyBytes: undefined,
    follower: undefined,
    responseBodyBytes: undefined,
    tag: 0,
  }
}

const SUCCESS = 200

/** Of a close method: reply code: 2, reply text, class, method. Undefined where the code says success. */
export function errorOf(bytes: Uint8Array, from: number, end: number): string | undefined {
  const code = from + 2 <= end ? uint16(bytes, from) : 0
  return code === SUCCESS || code === 0 ? undefined : String(code)
}
