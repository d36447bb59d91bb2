import {
  CONNECTION,
  EventFlag,
  HEADER,
  Op,
  PROCESS,
  RECORD_ALIGNMENT,
  WireRole,
  WireTransport,
} from './event-layout.js'
import { encodeTextRecord } from './event-reader.js'
import type { ProcessInfo } from './process-info.js'
import type { ProcessTracker } from './process-tracker.js'

/**
 * Walks over a batch fresh from the ring and hands it on in pieces: what the kernel tells only to the capture itself
 * is left out, descriptions of processes come in before the first record that needs them. Pieces are views; nothing
 * is copied.
 */
export interface StreamEditor {
  /** `bytes` starts at a multiple of 8 in its buffer. Pieces are appended to `pieces`. */
  edit(bytes: Uint8Array, pieces: Uint8Array[]): void
}

export interface StreamEditorOptions {
  readonly tracker: ProcessTracker
  /** Inodes of Unix sockets that are older than the capture: nothing else tells their age. */
  readonly olderUnixSockets: ReadonlySet<number>
}

/** What becomes of one record. */
interface Verdict {
  readonly keep: boolean
  readonly before?: ProcessInfo | undefined
  readonly after?: ProcessInfo | undefined
}

const KEEP: Verdict = { keep: true }
const DROP: Verdict = { keep: false }

export function createStreamEditor(options: StreamEditorOptions): StreamEditor {
  const { tracker, olderUnixSockets } = options
  let view: DataView = new DataView(new ArrayBuffer(0))
  let words: Uint32Array = new Uint32Array(0)
  let lastPid = -1

  const describe = (info: ProcessInfo, at: number): Uint8Array =>
    encodeTextRecord(Op.processInfo, view.getBigUint64(at + HEADER.timeNs, true), info.pid, info)

  const judgeConnection = (at: number, pid: number): Verdict => {
    const transport = view.getUint8(at + CONNECTION.transport)
    if (transport === WireTransport.unix) {
      if (olderUnixSockets.has(Number(view.getBigUint64(at + CONNECTION.localIdentity, true)))) {
        view.setUint8(at + HEADER.flags, view.getUint8(at + HEADER.flags) | EventFlag.midlife)
      }
    } else if (view.getUint8(at + CONNECTION.role) === WireRole.accepted) {
      const info = tracker.listens(pid, view.getUint16(at + CONNECTION.localPort, true))
      if (info !== undefined) return { keep: true, before: info }
    }
    return tracker.isKnown(pid) ? KEEP : { keep: true, before: tracker.meet(pid) }
  }

  const judge = (op: number, at: number, pid: number): Verdict => {
    switch (op) {
      case Op.connection:
        return judgeConnection(at, pid)
      case Op.exec: {
        const { traced, info } = tracker.replaced(pid)
        return traced ? { keep: true, after: info } : DROP
      }
      case Op.listen: {
        const info = tracker.listens(pid, view.getUint32(at + PROCESS.parent, true))
        return info === undefined ? DROP : { keep: false, after: info }
      }
      case Op.exit:
        return tracker.ended(pid) ? KEEP : DROP
      case Op.fork:
        tracker.forked(pid, view.getUint32(at + PROCESS.parent, true))
        return KEEP
      case Op.close:
        return KEEP
      default:
        return tracker.isKnown(pid) ? KEEP : { keep: true, before: tracker.meet(pid) }
    }
  }

  return {
    edit(bytes, pieces) {
      const { buffer, byteOffset, byteLength } = bytes
      if (view.buffer !== buffer || view.byteOffset !== byteOffset) {
        view = new DataView(buffer, byteOffset)
        words = new Uint32Array(buffer, byteOffset, Math.floor((buffer.byteLength - byteOffset) / 4))
      }
      let start = 0
      const cut = (at: number): void => {
        if (at > start) pieces.push(bytes.subarray(start, at))
        start = at
      }
      for (let at = 0; at < byteLength; ) {
        const word = at >>> 2
        const next = at + ((words[word]! + RECORD_ALIGNMENT - 1) & -RECORD_ALIGNMENT)
        const op = words[word + 1]! & 0xff
        const pid = words[word + (HEADER.pid >>> 2)]!
        if (op > Op.receive || pid !== lastPid) {
          const { keep, before, after } = judge(op, at, pid)
          lastPid = op === Op.exit ? -1 : op <= Op.receive ? pid : lastPid
          if (before !== undefined) {
            cut(at)
            pieces.push(describe(before, at))
          }
          if (!keep) {
            cut(at)
            start = next
          }
          if (after !== undefined) {
            cut(next)
            pieces.push(describe(after, at))
          }
        }
        at = next
      }
      cut(byteLength)
    },
  }
}
