import type { Counters } from '../../telemetry/counters.js'
import type { ProcessCarriers, ProcessInfo } from '../process-info.js'
import type { CarrierKernel } from './carrier-kernel.js'
import type { CarrierKind, Resolution } from './carrier-kind.js'
import { CARRIER_CONFIG, type CarrierCounts } from './carrier-layout.js'
import { type CarrierProbes, createCarrierProbes } from './carrier-probes.js'
import { type ProcessImage, withProcessImage } from './process-image.js'

/** What is known of the carriers of one process, for `status`. */
export interface CarrierStatus extends ProcessCarriers {
  readonly pid: number
  readonly program: string
  readonly detail: string
  /** Undefined while the kernel has not been told of them. */
  readonly counts: CarrierCounts | undefined
}

/**
 * Finds out which processes run greenlets, tasks or goroutines, and tells the kernel how to see them. Looks when a
 * process is first seen or listens, again with back-off while it starts, and now and then for what is loaded later.
 */
export interface CarrierDiscovery {
  /** A process is traced from now on. Looks at once, unless too many came at once. */
  met(info: ProcessInfo): void
  /** It became another program: what was known is void. */
  replaced(pid: number, info: ProcessInfo | undefined): void
  /** It listens: what it needs is loaded. */
  listens(info: ProcessInfo): void
  forked(child: number, parent: number): void
  ended(pid: number): void
  /** What the stream has to say of a process; undefined where threads are all there is. */
  carriersOf(pid: number): ProcessCarriers | undefined
  /** Looks that are due. Returns processes of which something else is to be said than before. */
  work(): number[]
  status(): CarrierStatus[]
}

export interface CarrierDiscoveryOptions {
  readonly kinds: readonly CarrierKind[]
  /** Undefined where the kernel refused the programs: then `refusal` says why. */
  readonly kernel: CarrierKernel
  readonly counters: Counters
  /** ms that only go forward, and ns as ProcessInfo.startNs counts. */
  readonly now: () => number
  readonly monotonicNs: () => number
  readonly procRoot?: string
}

const FIRST_PAUSE_MILLIS = 100
const LONGEST_PAUSE_MILLIS = 30_000
/** A kind that stays pending for so many looks is given up as it is; later looks may still find it. */
const PENDING_LOOKS = 12
/** Program start, imports included, takes up to this long; or until it listens. */
const STARTING_NS = 1e9
/** Looks made at once, per second; the others wait for their turn. */
const LOOKS_A_SECOND = 100
const LOOKS_A_TURN = 4
const MOST_PROCESSES = 16_384
/** A layout that fits shows next to no mismatch. */
const TRUSTED_MISMATCHES = 0.01
const MISMATCH_SAMPLE = 100

interface Watched {
  info: ProcessInfo
  /** Undefined: threads are all there is. */
  carriers: ProcessCarriers | undefined
  detail: string
  /** Names of the kinds that the kernel was told of. */
  told: string
  looks: number
  pauseMillis: number
  dueAt: number
}

export function createCarrierDiscovery(options: CarrierDiscoveryOptions): CarrierDiscovery {
  return new Discovery(options)
}

class Discovery implements CarrierDiscovery {
  readonly #options: CarrierDiscoveryOptions
  readonly #probes: CarrierProbes
  readonly #watched = new Map<number, Watched>()
  readonly #changed = new Set<number>()
  #generations = 0
  #looks = 0
  #second = 0

  constructor(options: CarrierDiscoveryOptions) {
    this.#options = options
    this.#probes = createCarrierProbes(options.kernel)
  }

  met(info: ProcessInfo): void {
    if (this.#watched.has(info.pid)) return
    const watched = this.#watch(info)
    if (watched !== undefined && this.#mayLookNow()) this.#look(watched)
  }

  replaced(pid: number, info: ProcessInfo | undefined): void {
    this.ended(pid)
    if (info !== undefined) this.#watch(info)
  }

  listens(info: ProcessInfo): void {
    const watched = this.#watched.get(info.pid)
    if (watched === undefined) {
      this.met(info)
      return
    }
    watched.info = info
    if (this.#mayLookNow()) this.#look(watched)
  }

  forked(child: number, parent: number): void {
    const known = this.#watched.get(parent)
    if (known === undefined || this.#watched.size >= MOST_PROCESSES) return
    const info = { ...known.info, pid: child, parent }
    const inherited = known.told === '' || this.#options.kernel.counts(child) !== undefined
    if (!inherited) {
      // Forked before the kernel knew of the parent.
      this.#watch(info)
      return
    }
    this.#watched.set(child, { ...known, info, dueAt: this.#options.now() + known.pauseMillis })
    this.#probes.inherit(child, parent)
  }

  ended(pid: number): void {
    const watched = this.#watched.get(pid)
    if (watched === undefined) return
    this.#watched.delete(pid)
    this.#changed.delete(pid)
    this.#probes.release(pid)
  }

  carriersOf(pid: number): ProcessCarriers | undefined {
    return this.#watched.get(pid)?.carriers
  }

  work(): number[] {
    const now = this.#options.now()
    let turns = LOOKS_A_TURN
    for (const watched of this.#watched.values()) {
      if (watched.dueAt > now) continue
      this.#look(watched)
      if (--turns === 0) break
    }
    this.#probes.drop()
    if (this.#changed.size === 0) return []
    const changed = [...this.#changed]
    this.#changed.clear()
    return changed
  }

  status(): CarrierStatus[] {
    return [...this.#watched.values()]
      .filter(watched => watched.carriers !== undefined)
      .map(({ info, carriers, detail }) => ({
        pid: info.pid,
        program: info.comm,
        ...carriers!,
        detail,
        counts: this.#options.kernel.counts(info.pid),
      }))
  }

  #watch(info: ProcessInfo): Watched | undefined {
    if (this.#watched.size >= MOST_PROCESSES) {
      this.#options.counters.add('capture.carriers.too_many_processes')
      return undefined
    }
    const suspected = this.#options.kinds.filter(kind => kind.suspects(info)).map(kind => kind.name)
    const watched: Watched = {
      info,
      carriers:
        suspected.length === 0 ? undefined : { kinds: suspected, state: 'pending', reason: 'it is still starting' },
      detail: '',
      told: '',
      looks: 0,
      pauseMillis: FIRST_PAUSE_MILLIS,
      dueAt: this.#options.now() + FIRST_PAUSE_MILLIS,
    }
    this.#watched.set(info.pid, watched)
    return watched
  }

  #mayLookNow(): boolean {
    const second = Math.floor(this.#options.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#looks = 0
    }
    return ++this.#looks <= LOOKS_A_SECOND
  }

  #look(watched: Watched): void {
    const { kernel, procRoot } = this.#options
    const { pid } = watched.info
    const before = watched.carriers
    watched.looks++
    const wantsAnother = withProcessImage(
      { pid, readThreads: pid => kernel.threads(pid), ...(procRoot === undefined ? {} : { procRoot }) },
      image => this.#judge(watched, image),
    )
    const { now } = this.#options
    watched.dueAt = wantsAnother ? now() + watched.pauseMillis : Number.POSITIVE_INFINITY
    watched.pauseMillis = Math.min(LONGEST_PAUSE_MILLIS, watched.pauseMillis * 2)
    if (!isSame(before, watched.carriers)) this.#changed.add(pid)
  }

  /** True when the process is worth another look. */
  #judge(watched: Watched, image: ProcessImage): boolean {
    const { kinds, counters } = this.#options
    const before = watched.carriers
    const seen = kinds.map(kind => ({ kind, found: kind.detect(image) }))
    const present = seen.filter(({ found }) => found === 'yes').map(({ kind }) => kind)
    const maybeLater = seen.some(({ found }) => found === 'later')
    if (present.length === 0) {
      // Its imports may be going on: until they are over nothing is said.
      const names = seen.filter(({ found }) => found === 'later').map(({ kind }) => kind.name)
      watched.carriers =
        maybeLater && this.#isStarting(watched.info)
          ? { kinds: names, state: 'pending', reason: 'it is still starting' }
          : undefined
      return maybeLater || watched.looks < 4
    }
    const names = present.map(kind => kind.name)
    if (watched.told === names.join()) return this.#review(watched)
    const resolved = present.map(kind => kind.resolve(image))
    const problem = resolved.find(({ state }) => state !== 'resolved')
    if (problem !== undefined && problem.state !== 'resolved') {
      this.#withdraw(watched)
      const late = problem.state === 'pending' && watched.looks > PENDING_LOOKS
      watched.carriers = { kinds: names, state: late ? 'unsupported' : problem.state, reason: problem.reason }
      if (watched.carriers.state === 'unsupported' && !isSame(before, watched.carriers)) {
        counters.add('capture.carriers.unsupported')
      }
      return true
    }
    this.#tell(watched, present, resolved as readonly (Resolution & { state: 'resolved' })[])
    return true
  }

  #tell(
    watched: Watched,
    present: readonly CarrierKind[],
    resolved: readonly (Resolution & { state: 'resolved' })[],
  ): void {
    const { kernel, counters } = this.#options
    const { pid } = watched.info
    const before = watched.carriers
    const names = present.map(kind => kind.name)
    const probes = resolved.flatMap(each => each.probes)
    const problem =
      kernel.refusal ?? this.#probes.hold(pid, probes) ?? kernel.write(pid, this.#encode(present, resolved))
    if (problem !== undefined) {
      this.#withdraw(watched)
      watched.carriers = { kinds: names, state: 'refused', reason: problem }
      if (!isSame(before, watched.carriers)) counters.add('capture.carriers.refused')
      return
    }
    watched.told = names.join()
    watched.detail = resolved.map(each => each.detail).join('; ')
    watched.carriers = { kinds: names, state: 'resolved', reason: '' }
  }

  #encode(present: readonly CarrierKind[], resolved: readonly (Resolution & { state: 'resolved' })[]): Uint8Array {
    const config = new Uint8Array(CARRIER_CONFIG.bytes)
    const view = new DataView(config.buffer)
    const bits = present.reduce((sum, kind, index) => (resolved[index]!.idle === true ? sum : sum | kind.bit), 0)
    view.setUint32(CARRIER_CONFIG.kinds, bits, true)
    view.setUint32(CARRIER_CONFIG.generation, ++this.#generations, true)
    const layout = new DataView(config.buffer, CARRIER_CONFIG.layout)
    for (const each of resolved) each.fill(layout)
    return config
  }

  /** The kernel was told of them: does what it finds look right? */
  #review(watched: Watched): boolean {
    const counts = this.#options.kernel.counts(watched.info.pid)
    if (counts === undefined) {
      // Gone from the kernel's table (it was full, or the process was replaced unseen).
      watched.told = ''
      watched.dueAt = this.#options.now()
      return true
    }
    const wrong = counts.mismatches + counts.faults
    if (counts.lookups >= MISMATCH_SAMPLE && wrong > TRUSTED_MISMATCHES * counts.lookups) {
      this.#withdraw(watched)
      const reason = `its memory does not look as expected in ${wrong} of ${counts.lookups} calls`
      watched.carriers = { kinds: watched.carriers!.kinds, state: 'unsupported', reason }
      this.#options.counters.add('capture.carriers.self_check_failed')
      return false
    }
    return true
  }

  #withdraw(watched: Watched): void {
    if (watched.told !== '') this.#options.kernel.remove(watched.info.pid)
    watched.told = ''
    watched.detail = ''
    this.#probes.release(watched.info.pid)
  }

  #isStarting(info: ProcessInfo): boolean {
    return info.listens.length === 0 && this.#options.monotonicNs() - info.startNs < STARTING_NS
  }
}

function isSame(a: ProcessCarriers | undefined, b: ProcessCarriers | undefined): boolean {
  return a?.state === b?.state && a?.reason === b?.reason && a?.kinds.join() === b?.kinds.join()
}
