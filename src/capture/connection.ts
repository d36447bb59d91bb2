import type { ObservedProcess } from './processes.js'

/** One end of a socket pair. */
export interface Endpoint {
  /** '127.0.0.1', '::1', or 'unix'. */
  readonly address: string
  /** 0 for Unix sockets. */
  readonly port: number
}

/** Of a socket without a peer. */
export const NO_ENDPOINT: Endpoint = { address: '', port: 0 }

/**
 * One socket pair as seen from one end, for one life (a reused port is another connection).
 */
export interface Connection {
  /** The kernel's id of this end; unique within the capture. */
  readonly id: number
  readonly transport: 'tcp' | 'unix' | 'udp'
  readonly local: Endpoint
  remote: Endpoint
  /** Which part this end plays: client (opened it), server (accepted it), unknown while nothing told. */
  role: 'client' | 'server' | 'unknown'
  /** Its beginning is not there (packet captures), and the ports alone said which part: bytes may say otherwise. */
  roleGuessed: boolean
  /**
   * The connection key: the same two numbers at both ends, in the same order. TCP: both initial sequence numbers,
   * smaller first; Unix: both inodes. Zero where it could not be had.
   */
  keyLow: number
  keyHigh: number
  /** True if this end owns keyLow: tells the two directions apart alike at both ends. */
  ownsLow: boolean
  /** Unix: inodes of the two sockets, 0 while not known; 0 for TCP. */
  readonly localIdentity: number
  remoteIdentity: number
  /** True when it existed before the capture, or its beginning was lost. */
  readonly midlife: boolean
  /** Whether the connection's other end is watched, too; decided with its first exchanges. */
  farEnd: 'undecided' | 'seen' | 'unseen'
  /** Process that was seen using it last. */
  process: ObservedProcess
}

/** Sets the connection key from this end's number and the other's; no key while one of them is 0. */
export function setKey(
  connection: Pick<Connection, 'keyLow' | 'keyHigh' | 'ownsLow'>,
  own: number,
  other: number,
): void {
  const known = own !== 0 && other !== 0
  connection.keyLow = known ? Math.min(own, other) : 0
  connection.keyHigh = known ? Math.max(own, other) : 0
  connection.ownsLow = own < other
}
