/** Class and method in one number, as the first four bytes of a method frame give them (AMQP 0-9-1, section 1.4 ff.). */
export const Method = {
  connectionClose: (10 << 16) | 50,
  channelClose: (20 << 16) | 40,
  channelCloseOk: (20 << 16) | 41,
  queueDeclare: (50 << 16) | 10,
  queueDeclareOk: (50 << 16) | 11,
  consume: (60 << 16) | 20,
  consumeOk: (60 << 16) | 21,
  cancel: (60 << 16) | 30,
  publish: (60 << 16) | 40,
  return: (60 << 16) | 50,
  deliver: (60 << 16) | 60,
  get: (60 << 16) | 70,
  getOk: (60 << 16) | 71,
  getEmpty: (60 << 16) | 72,
  ack: (60 << 16) | 80,
  reject: (60 << 16) | 90,
  nack: (60 << 16) | 120,
} as const

/** What the method is in a conversation. */
export const Part = { request: 0, reply: 1, alone: 2 } as const

export interface MethodKind {
  readonly name: string
  readonly part: number
  /** Who may send it; undefined: both. */
  readonly sender: 'client' | 'server' | undefined
}

export const BASIC = 60

const kinds = new Map<number, MethodKind>()

export function methodKind(id: number): MethodKind | undefined {
  return kinds.get(id)
}

const { request, reply, alone } = Part
const C = 'client'
const S = 'server'

function define(
  classId: number,
  className: string,
  methods: readonly [number, string, number, (typeof C | typeof S)?][],
): void {
  for (const [id, name, part, sender] of methods) {
    kinds.set((classId << 16) | id, { name: `${className}.${name}`, part, sender })
  }
}

define(10, 'connection', [
  [10, 'start', request, S],
  [11, 'start-ok', reply, C],
  [20, 'secure', request, S],
  [21, 'secure-ok', reply, C],
  [30, 'tune', request, S],
  [31, 'tune-ok', reply, C],
  [40, 'open', request, C],
  [41, 'open-ok', reply, S],
  [50, 'close', request],
  [51, 'close-ok', reply],
  [60, 'blocked', alone, S],
  [61, 'unblocked', alone, S],
  [70, 'update-secret', request, C],
  [71, 'update-secret-ok', reply, S],
])
define(20, 'channel', [
  [10, 'open', request, C],
  [11, 'open-ok', reply, S],
  [20, 'flow', request],
  [21, 'flow-ok', reply],
  [40, 'close', request],
  [41, 'close-ok', reply],
])
define(30, 'access', [
  [10, 'request', request, C],
  [11, 'request-ok', reply, S],
])
define(40, 'exchange', [
  [10, 'declare', request, C],
  [11, 'declare-ok', reply, S],
  [20, 'delete', request, C],
  [21, 'delete-ok', reply, S],
  [30, 'bind', request, C],
  [31, 'bind-ok', reply, S],
  [40, 'unbind', request, C],
  [51, 'unbind-ok', reply, S],
])
define(50, 'queue', [
  [10, 'declare', request, C],
  [11, 'declare-ok', reply, S],
  [20, 'bind', request, C],
  [21, 'bind-ok', reply, S],
  [30, 'purge', request, C],
  [31, 'purge-ok', reply, S],
  [40, 'delete', request, C],
  [41, 'delete-ok', reply, S],
  [50, 'unbind', request, C],
  [51, 'unbind-ok', reply, S],
])
define(BASIC, 'basic', [
  [10, 'qos', request, C],
  [11, 'qos-ok', reply, S],
  [20, 'consume', request, C],
  [21, 'consume-ok', reply, S],
  [30, 'cancel', request],
  [31, 'cancel-ok', reply],
  [40, 'publish', alone, C],
  [50, 'return', alone, S],
  [60, 'deliver', alone, S],
  [70, 'get', request, C],
  [71, 'get-ok', reply, S],
  [72, 'get-empty', reply, S],
  [80, 'ack', alone],
  [90, 'reject', alone, C],
  [100, 'recover-async', alone, C],
  [110, 'recover', request, C],
  [111, 'recover-ok', reply, S],
  [120, 'nack', alone],
])
define(85, 'confirm', [
  [10, 'select', request, C],
  [11, 'select-ok', reply, S],
])
define(90, 'tx', [
  [10, 'select', request, C],
  [11, 'select-ok', reply, S],
  [20, 'commit', request, C],
  [21, 'commit-ok', reply, S],
  [30, 'rollback', request, C],
  [31, 'rollback-ok', reply, S],
])
