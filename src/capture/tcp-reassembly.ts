/** Where one direction's bytes go, in order and without gaps. */
export interface ReassemblySink {
  /**
   * `length` bytes were moved at `position` (modulo 2^32, the direction's first byte being 0), of which the first
   * end - start were captured.
   */
  moved(position: number, bytes: Uint8Array, start: number, end: number, length: number): void
  /** The sender has closed its direction, and all of it has been told. */
  finished(): void
}

export interface ReassemblyLimits {
  /** Longest wait for a missing segment, in ns of the capture's time. */
  readonly waitNs: number
  /** How long a segment that the receiver has acknowledged may still turn up (captures mix up the order a little). */
  readonly acknowledgedWaitNs: number
  /** Most bytes and segments kept behind a gap. */
  readonly heldBytes: number
  readonly heldSegments: number
}

export const REASSEMBLY_LIMITS: ReassemblyLimits = {
  waitNs: 1e9,
  acknowledgedWaitNs: 20e6,
  heldBytes: 1 << 20,
  heldSegments: 1024,
}

/** Shared by all directions of a capture. */
export interface ReassemblyCounts {
  /** Bytes kept behind gaps, over all connections. */
  held: number
  /** Bytes that were moved and are in no packet. */
  missing: number
  retransmitted: number
  outOfWindow: number
}

/** Most bytes kept behind gaps of all connections together. */
const MOST_HELD = 64 << 20
/** A segment further ahead than any window can be belongs to another life of the connection, or to an attacker. */
const WIDEST_WINDOW = 1 << 30

interface HeldSegment {
  sequence: number
  length: number
  readonly bytes: Uint8Array
}

const NOTHING = new Uint8Array(0)

/** a - b in sequence space: negative if a is before b. */
export function sequenceDistance(a: number, b: number): number {
  return (a - b) | 0
}

/**
 * One direction of a TCP connection put in order: what comes twice counts once (the first wins), what comes early
 * waits, and what never comes becomes bytes that were moved and not captured.
 */
export class TcpDirection {
  /** Sequence number of the first byte, once known. */
  base: number | undefined
  /** Sequence number of the next byte to tell; undefined until the direction's first packet. */
  next: number | undefined
  closed = false

  readonly #sink: ReassemblySink
  readonly #counts: ReassemblyCounts
  readonly #limits: ReassemblyLimits
  #held: HeldSegment[] = []
  #heldBytes = 0
  #gapSinceNs = 0
  #acknowledged: number | undefined
  #acknowledgedSinceNs = 0
  #fin: number | undefined

  constructor(sink: ReassemblySink, counts: ReassemblyCounts, limits: ReassemblyLimits) {
    this.#sink = sink
    this.#counts = counts
    this.#limits = limits
  }

  /** The direction's first byte has this number: from a SYN, or from what the other end expects. */
  begin(sequence: number, certain: boolean): void {
    this.base ??= sequence >>> 0
    if (certain) this.next ??= sequence >>> 0
  }

  segment(
    sequence: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    length: number,
    fin: boolean,
    timeNs: number,
  ): void {
    if (this.next === undefined) this.begin(sequence, true)
    if (fin) this.#fin ??= (sequence + length) >>> 0
    if (length > 0) this.#payload(sequence, bytes, start, end, this.#beforeFin(sequence, length), timeNs)
    this.tick(timeNs)
    this.#checkFin()
  }

  /** The other end expects `sequence` next: it has everything before. */
  acknowledge(sequence: number, withData: boolean, timeNs: number): void {
    if (this.next === undefined) {
      this.begin(sequence, false)
      return
    }
    const ahead = sequenceDistance(sequence, this.next)
    if (ahead <= 0 || ahead > WIDEST_WINDOW) return
    if (this.#acknowledged === undefined || sequenceDistance(sequence, this.#acknowledged) > 0) {
      if (this.#acknowledged === undefined || sequenceDistance(this.#acknowledged, this.next) <= 0) {
        this.#acknowledgedSinceNs = timeNs
      }
      this.#acknowledged = sequence
    }
    // An answer was written in the knowledge of what came before it, so that is told first.
    if (withData) this.#fillTo(sequence)
    this.#checkFin()
  }

  /** Gives up waiting where the wait has been long enough. */
  tick(timeNs: number): void {
    if (this.next === undefined) return
    if (this.#held.length > 0 && timeNs - this.#gapSinceNs >= this.#limits.waitNs) this.#jump(timeNs)
    const acknowledged = this.#acknowledged
    if (acknowledged === undefined || sequenceDistance(acknowledged, this.next) <= 0) return
    if (timeNs - this.#acknowledgedSinceNs >= this.#limits.acknowledgedWaitNs) this.#fillTo(acknowledged)
  }

  /** No more packets: everything that is known is told. */
  flush(): void {
    if (this.next === undefined) return
    while (this.#held.length > 0) this.#jump(0)
    if (this.#acknowledged !== undefined) this.#fillTo(this.#acknowledged)
    this.#checkFin()
  }

  /** Whether a reset with this number would be believed by the receiver. */
  believesReset(sequence: number): boolean {
    const ahead = sequenceDistance(sequence, this.next ?? sequence)
    return ahead >= 0 && ahead < WIDEST_WINDOW
  }

  /** True if the bytes at `sequence` have all been told (or a FIN is all that is new). */
  hasAll(sequence: number, length: number): boolean {
    return this.next !== undefined && sequenceDistance(sequence + length, this.next) <= 0
  }

  #beforeFin(sequence: number, length: number): number {
    if (this.#fin === undefined) return length
    return Math.max(0, Math.min(length, sequenceDistance(this.#fin, sequence)))
  }

  #payload(sequence: number, bytes: Uint8Array, start: number, end: number, length: number, timeNs: number): void {
    const ahead = sequenceDistance(sequence, this.next!)
    if (ahead > WIDEST_WINDOW || ahead < -WIDEST_WINDOW) {
      this.#counts.outOfWindow++
      return
    }
    if (ahead <= 0) {
      if (ahead < 0) this.#counts.retransmitted += Math.min(length, -ahead)
      if (-ahead >= length) return
      const from = Math.min(end, start - ahead)
      this.#tell(bytes, from, Math.min(end, start + length), length + ahead)
      this.#drain(timeNs)
      return
    }
    if (this.#held.length === 0) this.#gapSinceNs = timeNs
    this.#hold(sequence, bytes, start, end, length)
    if (
      this.#heldBytes > this.#limits.heldBytes ||
      this.#held.length > this.#limits.heldSegments ||
      this.#counts.held > MOST_HELD
    ) {
      while (this.#held.length > 0) this.#jump(timeNs)
    }
  }

  #tell(bytes: Uint8Array, start: number, end: number, length: number): void {
    const position = (this.next! - this.base!) >>> 0
    this.next = (this.next! + length) >>> 0
    this.#sink.moved(position, bytes, start, end, length)
  }

  #missing(length: number): void {
    this.#counts.missing += length
    this.#tell(NOTHING, 0, 0, length)
  }

  /** Keeps what is not already kept of a segment behind a gap. */
  #hold(sequence: number, bytes: Uint8Array, start: number, end: number, length: number): void {
    const held = this.#held
    let i = 0
    while (length > 0) {
      while (i < held.length && sequenceDistance(sequence, held[i]!.sequence + held[i]!.length) >= 0) i++
      const other = held[i]
      const room = other === undefined ? length : sequenceDistance(other.sequence, sequence)
      const part = Math.min(length, Math.max(0, room))
      if (part > 0) {
        const captured = bytes.slice(start, Math.min(end, start + part))
        held.splice(i, 0, { sequence: sequence >>> 0, length: part, bytes: captured })
        this.#heldBytes += captured.length
        this.#counts.held += captured.length
        i++
      }
      const covered = part > 0 ? part : sequenceDistance(other!.sequence + other!.length, sequence)
      if (part === 0) this.#counts.retransmitted += Math.min(length, covered)
      sequence += covered
      start = Math.min(end, start + covered)
      length -= covered
    }
  }

  /** Tells what is held and follows without a gap. */
  #drain(timeNs: number): void {
    let told = 0
    while (told < this.#held.length) {
      const { sequence, length, bytes } = this.#held[told]!
      const behind = sequenceDistance(this.next!, sequence)
      if (behind < 0) break
      told++
      this.#heldBytes -= bytes.length
      this.#counts.held -= bytes.length
      if (behind < length) this.#tell(bytes, Math.min(behind, bytes.length), bytes.length, length - behind)
    }
    if (told === 0) return
    this.#held.splice(0, told)
    this.#gapSinceNs = timeNs
  }

  /** Passes the gap before the first held segment as missing. */
  #jump(timeNs: number): void {
    const gap = sequenceDistance(this.#held[0]!.sequence, this.next!)
    if (gap > 0) this.#missing(gap)
    this.#drain(timeNs)
  }

  /** Everything up to `sequence` has been moved: what is not here is missing. */
  #fillTo(sequence: number): void {
    const last = this.#fin !== undefined && sequenceDistance(sequence, this.#fin) > 0 ? this.#fin : sequence
    for (;;) {
      const gap = sequenceDistance(last, this.next!)
      if (gap <= 0) return
      const first = this.#held[0]
      if (first !== undefined && sequenceDistance(first.sequence, last) < 0) {
        this.#jump(this.#gapSinceNs)
        continue
      }
      // One number more than there are bytes: the FIN, which is missing itself.
      if (gap === 1 && this.#fin === undefined) return
      this.#missing(gap)
      this.#drain(this.#gapSinceNs)
    }
  }

  #checkFin(): void {
    if (this.closed || this.#fin === undefined || sequenceDistance(this.next!, this.#fin) < 0) return
    this.closed = true
    this.#sink.finished()
  }
}
