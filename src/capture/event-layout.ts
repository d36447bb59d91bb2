/**
 * Offsets and sizes of the records of `bpf/types/event.h`, in bytes. Changed together with that file only;
 * `test/capture/event-layout.test.ts` compares both sides.
 */
export const Op = {
  send: 1,
  receive: 2,
  connect: 3,
  connection: 4,
  close: 5,
  fork: 6,
  exec: 7,
  exit: 8,
  taskBirth: 9,
  listen: 10,
  processInfo: 64,
  lost: 65,
} as const

export const EventFlag = { uncopied: 1, eof: 2, midlife: 4, thread: 8, roleGuessed: 16, carrier: 32 } as const
export const WireRole = { unknown: 0, opened: 1, accepted: 2 } as const
export const WireTransport = { tcp: 1, unix: 2, udp: 3 } as const

export const HEADER = {
  size: 0,
  op: 4,
  flags: 5,
  lossEpoch: 6,
  timeNs: 8,
  pid: 16,
  tid: 20,
  carrier: 24,
  carrierParent: 32,
  bytes: 40,
} as const
export const DATA = {
  connection: 40,
  position: 48,
  length: 52,
  headLength: 56,
  tailLength: 58,
  /** Datagrams, where the call names its peer; its address stands in `position`, which they have none of. */
  peerPort: 60,
  peerFamily: 62,
  bytes: 64,
} as const
export const CONNECTION = {
  connection: 40,
  localIsn: 48,
  remoteIsn: 52,
  role: 56,
  transport: 57,
  family: 58,
  localPort: 60,
  remotePort: 62,
  localAddress: 64,
  remoteAddress: 80,
  localIdentity: 96,
  remoteIdentity: 104,
  bytes: 112,
} as const
export const CLOSE = {
  connection: 40,
  uncopiedCalls: 48,
  uncopiedSentBytes: 56,
  uncopiedReceivedBytes: 64,
  bytes: 80,
} as const
export const PROCESS = { parent: 40, comm: 48, bytes: 64 } as const
export const TASK = { task: 40, bytes: 56 } as const

/** Records lie in a batch at multiples of this. */
export const RECORD_ALIGNMENT = 8
