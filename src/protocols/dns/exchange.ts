import { Attribute } from '../attribute-names.js'
import type { Exchange } from '../protocol.js'
import { createAttributesMaker } from '../roomy-attributes.js'
import { type DnsMessage, HEADER_BYTES, nameText } from './message.js'
import { isServersFault, Opcode, opcodeName, responseCodeName, Type, typeName } from './numbers.js'

/** A question that waits for its answer. */
export interface DnsExchange extends Exchange {
  readonly id: number
  /** 0: the question was not in view. */
  readonly questionHash: number
  /** Of a zone: its answer may be many messages (RFC 5936). */
  readonly isTransfer: boolean
  readonly beganNs: number
  answered: boolean
}

const makeAttributes = createAttributesMaker()

/** The exchange that the message, whose header lies at `start`, begins. */
export function createExchange(message: DnsMessage, bytes: Uint8Array, start: number, beganNs: number): DnsExchange {
  const { opcode, type, questionEnd, questionHash, id } = message
  const isQuery = opcode === Opcode.query
  const typeText = questionEnd > 0 ? typeName(type) : undefined
  const attributes = makeAttributes()
  attributes[Attribute.networkProtocolName] = 'dns'
  const exchange: DnsExchange = {
    protocol: 'dns',
    initiator: 'client',
    shape: 'call',
    name: `DNS ${isQuery ? (typeText ?? 'QUERY') : opcodeName(opcode)!}`,
    attributes,
    clientError: undefined,
    serverError: undefined,
    contentKeys: [],
    truncated: questionEnd === 0,
    housekeeping: false,
    requestBodyBytes: undefined,
    responseBodyBytes: undefined,
    tag: 0,
    follower: undefined,
    id,
    questionHash,
    isTransfer: isQuery && (type === Type.transfer || type === Type.incrementalTransfer),
    beganNs,
    answered: false,
  }
  if (typeText !== undefined) {
    exchange.attributes[Attribute.dnsQuestionName] = nameText(bytes, start + HEADER_BYTES, questionEnd - 4)
    exchange.attributes[Attribute.ghostspanDnsQuestionType] = typeText
  }
  return exchange
}

/** What the answer says. */
export function describeAnswer(exchange: DnsExchange, message: DnsMessage): void {
  const { responseCode, answers } = message
  const code = responseCodeName(responseCode)
  exchange.attributes[Attribute.ghostspanDnsResponseCode] = code
  exchange.attributes[Attribute.ghostspanDnsAnswerCount] = answers
  if (message.isCut) exchange.attributes[Attribute.ghostspanDnsTruncated] = true
  if (responseCode === 0) return
  exchange.clientError = code
  if (isServersFault(responseCode)) exchange.serverError = code
}
