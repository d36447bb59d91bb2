import { Attribute } from '../attribute-names.js'
import type { Exchange } from '../protocol.js'
import type { Api } from './apis.js'
import { ApiKey } from './apis.js'
import { errorName } from './error-names.js'
import type { KafkaMessage } from './message.js'

/** A request and its answer. What it carries is reported as messages of their own. */
export interface KafkaCall extends Exchange {
  readonly api: Api
  readonly version: number
  readonly correlationId: number
  readonly clientId: string | undefined
  /** Of the group that it is about, where its request names one. */
  group: string | undefined
  /** The first that the answer has; undefined: it was not seen, or has none. */
  errorCode: number | undefined
  /** What it produces. */
  readonly messages: KafkaMessage[]
  /** A broker copies a partition: nobody consumes what it reads. */
  isReplica: boolean
  requestEnded: boolean
  answered: boolean
  over: boolean
}

export function createCall(api: Api, version: number, correlationId: number, clientId: string | undefined): KafkaCall {
  const settles = api.key === ApiKey.offsetCommit || api.key === ApiKey.txnOffsetCommit
  const call: KafkaCall = {
    protocol: 'kafka',
    initiator: 'client',
    shape: 'call',
    name: settles ? 'commit' : api.name,
    attributes: {
      [Attribute.messagingSystem]: 'kafka',
      [Attribute.messagingOperationName]: settles ? 'commit' : api.name,
    },
    clientError: undefined,
    serverError: undefined,
    contentKeys: [],
    truncated: false,
    housekeeping: api.housekeeping,
    requestBodyBytes: undefined,
    responseBodyBytes: undefined,
    tag: 0,
    follower: undefined,
    api,
    version,
    correlationId,
    clientId,
    group: undefined,
    errorCode: undefined,
    messages: [],
    isReplica: false,
    requestEnded: false,
    answered: false,
    over: false,
  }
  if (settles) call.attributes[Attribute.messagingOperationType] = 'settle'
  if (clientId) call.attributes[Attribute.messagingClientId] = clientId
  return call
}

export function nameGroup(call: KafkaCall, group: string | undefined): void {
  if (!group) return
  call.group = group
  call.attributes[Attribute.messagingConsumerGroupName] = group
}

/** An error that the answer holds; the first one that is none is kept only until one is. */
export function noteError(call: KafkaCall, code: number): void {
  if (call.errorCode !== undefined && call.errorCode !== 0) return
  call.errorCode = code
  failExchange(call, code)
}

export function failExchange(exchange: Exchange, code: number): void {
  const error = errorName(code)
  if (error === undefined) return
  exchange.clientError = error
  exchange.serverError = error
  exchange.attributes[Attribute.errorType] = error
}
