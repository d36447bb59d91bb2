import type { CopyPolicy } from '../protocols/protocol.js'
import type { ProcessInfo } from './process-info.js'

/**
 * When and where a capture was taken: everything needed to turn the records' monotonic times into wall-clock times.
 */
export interface CaptureOrigin {
  readonly host: string
  /** CLOCK_MONOTONIC, in ns, of the moment that all relative times count from. */
  readonly monotonicBaseNs: bigint
  /** CLOCK_REALTIME, in ns since 1970, of the same moment. */
  readonly wallBaseNs: bigint
  readonly kernel: string
}

/** The only way back from user space into the capture (design: one narrow interface). A replay ignores all of it. */
export interface CaptureControl {
  setConnectionPolicy(connection: number, policy: CopyPolicy): void
  /**
   * What connections of a listening port get from their first byte on. `onlyLocalPeers`: `countOnly` is meant for the
   * accepted end of connections whose both ends are on this host; the heads and tails hold for all others.
   */
  setPortPolicy(port: number, policy: CopyPolicy, onlyLocalPeers: boolean): void
}

/**
 * Where records come from: the kernel, a recording, a packet capture. Records are those of `bpf/types/event.h`,
 * in one batch of bytes, each at a multiple of 8.
 */
export interface EventSource {
  readonly kind: 'live' | 'recording' | 'pcap'
  readonly origin: CaptureOrigin
  readonly control: CaptureControl
  /** The next batch, valid until the next call; undefined when there is nothing now (live) or no more (`ended`). */
  read(): Uint8Array | undefined
  /** True once `read` will never return a batch again. */
  readonly ended: boolean
  /** Live: a process that no record may have told of, looked up now. */
  describe?(pid: number): ProcessInfo | undefined
  close(): Promise<void>
}
