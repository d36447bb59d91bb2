import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { hostname, release } from 'node:os'
import type { CopyPolicy } from '../protocols/protocol.js'
import type { Counters } from '../telemetry/counters.js'
import { type CallSketch, type CallSketchReader, createCallSketchReader } from './call-sketches.js'
import { type CarrierDiscovery, type CarrierStatus, createCarrierDiscovery } from './carriers/carrier-discovery.js'
import { createCarrierKernel } from './carriers/carrier-kernel.js'
import { carrierKinds } from './carriers/carrier-kinds.js'
import { Op } from './event-layout.js'
import { encodeTextRecord } from './event-reader.js'
import type { CaptureControl, CaptureOrigin, EventSource } from './event-source.js'
import type { Hooks, HooksChoice } from './hooks.js'
import { mountFileSystems } from './kernel-requirements.js'
import { createLossReader } from './loss-reader.js'
import {
  type CaptureHandle,
  loadNativeAddon,
  type NativeAddon,
  type NativePaths,
  nativePaths,
  type ProgramTime,
} from './native-addon.js'
import { describeFailure, loadObject } from './open-object.js'
import { createPolicyWriter } from './policy-writer.js'
import type { ProcessInfo } from './process-info.js'
import { createProcessReader } from './process-reader.js'
import { createProcessTracker, type ProcessTracker } from './process-tracker.js'
import { createSelector, type Selection } from './selection.js'
import { createStreamEditor } from './stream-editor.js'

export interface LiveSourceOptions {
  readonly counters: Counters
  /** Where the addon and the BPF object are. Default: where `npm run build:native` leaves them. */
  readonly paths?: NativePaths
  /** Size of the kernel's ring buffer; rounded up to a power of two. Default 16 MiB. */
  readonly ringBytes?: number
  /** Size of one batch. Default 1 MiB. */
  readonly batchBytes?: number
  /** Default: every process but our own. */
  readonly selection?: Selection
  /** Processes that are never traced, nor the far ends of the connections they open. Default: this one. */
  readonly ownPids?: readonly number[]
  /** Whether what they start is ours as well, also what they started before. Default true. */
  readonly ownChildren?: boolean
  /** How often losses are looked up, by `now`. Default 1,000 ms. */
  readonly lossMillis?: number
  /** Whether to look for greenlets, tasks and goroutines. Default true. */
  readonly carriers?: boolean
  /** What tells of socket calls. Default auto: the cheapest that this kernel has. */
  readonly hooks?: HooksChoice
  /** A clock in ms that only goes forward. Default performance.now. */
  readonly now?: () => number
}

export interface LiveSource extends EventSource {
  readonly kind: 'live'
  /** What tells of socket calls. */
  readonly hooks: Hooks
  /** One more process that is never traced, e.g. the archive's engine. */
  addOwnProcess(pid: number): void
  /** Run time of the BPF programs; zeros unless kernel.bpf_stats_enabled is 1. */
  programTimes(): ProgramTime[]
  /** Bytes that wait in the ring. */
  pendingBytes(): number
  /** What the kernel has counted of all calls of traced processes, copied or not. */
  callSketches(): CallSketch[]
  /** What is known of greenlets, tasks and goroutines, of every process that runs some. */
  carriers(): CarrierStatus[]
}

const DEFAULT_RING_BYTES = 16 * 1024 * 1024
const DEFAULT_BATCH_BYTES = 1024 * 1024
/** Room for the longest record several times over. */
const SMALLEST_BATCH_BYTES = 64 * 1024

/**
 * Loads the BPF programs and starts to watch. Throws CaptureUnavailableError when the machine lacks something;
 * `checkKernel` says what.
 */
export async function createLiveSource(options: LiveSourceOptions): Promise<LiveSource> {
  const paths = options.paths ?? nativePaths()
  const selector = createSelector({ selection: options.selection ?? {} })
  const addon = loadNativeAddon(paths.addon)
  mountFileSystems(addon)
  const { handle, refusal, hooks } = loadObject(addon, paths, {
    ringBytes: options.ringBytes ?? DEFAULT_RING_BYTES,
    traceByDefault: selector.byDefault,
    carriers: options.carriers ?? true,
    hooks: options.hooks ?? 'auto',
  })
  try {
    const clocks = addon.clocks()
    const carriers = createCarrierDiscovery({
      kinds: carrierKinds,
      kernel: createCarrierKernel(addon, handle, refusal),
      counters: options.counters,
      now: options.now ?? (() => performance.now()),
      monotonicNs: () => Number(process.hrtime.bigint()),
    })
    const tracker = createProcessTracker({
      carriers,
      reader: createProcessReader({ suspendedNs: clocks.boottimeNs - clocks.monotonicNs }),
      selector,
      ownPids: options.ownPids ?? [process.pid],
      ownChildren: options.ownChildren ?? true,
      decide: (pid, decision) => {
        addon.update(handle, 'process_by_tgid', encodeNumber(pid), encodeNumber(decision))
      },
      renew: () => {
        addon.advance(handle, 'selection_epoch')
      },
    })
    const olderUnixSockets = readUnixSockets()
    tracker.scan()
    // Gives out the slots, so it comes before anybody can ask for one.
    const callSketches = createCallSketchReader(addon, handle)
    addon.attach(handle)
    // What was started in between.
    tracker.scan()
    const origin: CaptureOrigin = {
      host: hostname(),
      monotonicBaseNs: clocks.monotonicNs,
      wallBaseNs: clocks.realtimeNs,
      kernel: release(),
    }
    return new RingSource({ addon, handle, hooks, origin, tracker, carriers, callSketches, olderUnixSockets }, options)
  } catch (error) {
    addon.close(handle)
    throw describeFailure(error)
  }
}

function encodeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

/** Inodes of all Unix sockets there are, over all network namespaces (/proc/net/unix, field 7). */
function readUnixSockets(): Set<number> {
  const inodes = new Set<number>()
  const namespaces = new Set<string>()
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    try {
      const namespace = readlinkSync(`/proc/${pid}/ns/net`)
      if (namespaces.has(namespace)) continue
      namespaces.add(namespace)
      for (const line of readFileSync(`/proc/${pid}/net/unix`, 'latin1').split('\n').slice(1)) {
        const inode = Number(line.trim().split(/\s+/)[6])
        if (inode > 0) inodes.add(inode)
      }
    } catch {
      // The process ended meanwhile.
    }
  }
  return inodes
}

/** The programs at work, and what goes with them. */
interface Attached {
  readonly addon: NativeAddon
  readonly handle: CaptureHandle
  readonly hooks: Hooks
  readonly origin: CaptureOrigin
  readonly tracker: ProcessTracker
  readonly carriers: CarrierDiscovery
  readonly callSketches: CallSketchReader
  readonly olderUnixSockets: ReadonlySet<number>
}

/** How often carriers that are due are looked at, in ms. */
const CARRIER_MILLIS = 50

class RingSource implements LiveSource {
  readonly kind = 'live'
  readonly hooks: Hooks
  readonly origin: CaptureOrigin
  readonly control: CaptureControl
  readonly #addon: NativeAddon
  readonly #counters: Counters
  readonly #handle: CaptureHandle
  readonly #tracker: ProcessTracker
  readonly #carriers: CarrierDiscovery
  readonly #editor
  readonly #policies
  readonly #readLosses
  readonly #callSketches: CallSketchReader
  readonly #batch: Uint8Array
  readonly #now: () => number
  readonly #lossMillis: number
  readonly #pieces: Uint8Array[] = []
  #next = 0
  #lossesDue: number
  #carriersDue = 0
  #closed = false

  constructor(
    { addon, handle, hooks, origin, tracker, carriers, callSketches, olderUnixSockets }: Attached,
    options: LiveSourceOptions,
  ) {
    this.hooks = hooks
    this.origin = origin
    this.#addon = addon
    this.#counters = options.counters
    this.#handle = handle
    this.#tracker = tracker
    this.#carriers = carriers
    this.#editor = createStreamEditor({ tracker, olderUnixSockets })
    this.#policies = createPolicyWriter(addon, handle)
    this.#callSketches = callSketches
    this.#readLosses = createLossReader(addon, handle, options.counters)
    this.#batch = new Uint8Array(Math.max(options.batchBytes ?? DEFAULT_BATCH_BYTES, SMALLEST_BATCH_BYTES))
    this.#now = options.now ?? (() => performance.now())
    this.#lossMillis = options.lossMillis ?? 1000
    this.#lossesDue = this.#now() + this.#lossMillis
    const whileOpen = (write: () => void): void => {
      if (!this.#closed) write()
    }
    this.control = {
      setConnectionPolicy: (connection: number, policy: CopyPolicy) =>
        whileOpen(() => this.#policies.setConnection(connection, policy)),
      setPortPolicy: (port: number, policy: CopyPolicy, onlyLocalPeers: boolean) =>
        whileOpen(() => this.#policies.setPort(port, policy, onlyLocalPeers)),
    }
  }

  get ended(): boolean {
    return this.#closed
  }

  read(): Uint8Array | undefined {
    if (this.#next < this.#pieces.length) return this.#pieces[this.#next++]
    if (this.#closed) return undefined
    this.#policies.flush()
    this.#pieces.length = 0
    this.#next = 0
    if (this.#now() >= this.#carriersDue) this.#lookAtCarriers()
    const length = this.#addon.read(this.#handle, this.#batch)
    if (length > 0) this.#editor.edit(this.#batch.subarray(0, length), this.#pieces)
    if (this.#now() >= this.#lossesDue) this.#tellLosses()
    return this.#pieces[this.#next++]
  }

  #tellLosses(): void {
    this.#lossesDue = this.#now() + this.#lossMillis
    for (const loss of this.#readLosses()) {
      this.#pieces.push(encodeTextRecord(Op.lost, process.hrtime.bigint(), 0, loss))
    }
  }

  #lookAtCarriers(): void {
    this.#carriersDue = this.#now() + CARRIER_MILLIS
    for (const pid of this.#carriers.work()) {
      const info = this.#tracker.describe(pid)
      if (info !== undefined) this.#pieces.push(encodeTextRecord(Op.processInfo, process.hrtime.bigint(), pid, info))
    }
  }

  addOwnProcess(pid: number): void {
    if (!this.#closed) this.#tracker.addOwn(pid)
  }

  programTimes(): ProgramTime[] {
    return this.#closed ? [] : this.#addon.times(this.#handle)
  }

  pendingBytes(): number {
    return this.#closed ? 0 : this.#addon.pending(this.#handle)
  }

  callSketches(): CallSketch[] {
    return this.#closed ? [] : this.#callSketches.read()
  }

  describe(pid: number): ProcessInfo | undefined {
    return this.#closed ? undefined : this.#tracker.lookUp(pid)
  }

  carriers(): CarrierStatus[] {
    return this.#closed ? [] : this.#carriers.status()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    // Nobody will read a record of these any more.
    for (const { cause, count } of this.#readLosses()) this.#counters.add(`capture.lost.${cause}`, count)
    this.#closed = true
    this.#addon.close(this.#handle)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
