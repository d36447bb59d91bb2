import { LATENCY_BUCKETS, latencyBucket } from '../capture/call-sketch-layout.js'
import { CALL_COUNTS, type CallCounts, type CallSketch } from '../capture/call-sketches.js'
import type { Counters } from '../telemetry/counters.js'
import { OTHER_NAME } from './minute-sketches.js'
import { KERNEL_SKETCH_FORMAT, type SketchRow } from './sketch-row.js'

/** From the service's point of view: it called, it was called, or nobody knows who asked whom. */
export type CallDirection = 'out' | 'in' | 'unknown'

/** What the kernel has counted of a service's calls with one peer, copied or not. */
export interface CallGroup {
  readonly service: string
  /** Service, address, or `address:port` of whoever is called. */
  readonly peer: string
  readonly direction: CallDirection
  readonly counts: CallCounts
  /** Answers by bucket of the kernel's histogram, modulo 2^32. */
  readonly latency: Uint32Array
}

/** Every call of traced processes is in one of these. */
export interface CallCoverage {
  readonly calls: number
  /** Told by an event, with whatever bytes its connection's policy asks for. */
  readonly copied: number
  /** Counted and nothing else. */
  readonly uncopied: number
  /** Of all calls those whose process and peer found no place in the kernel's map: counted together. */
  readonly unplaced: number
}

export interface CallTotals {
  /** Since the start of the capture. */
  groups(): readonly CallGroup[]
  coverage(): CallCoverage
  /** What came since the last time, as rows of the minute that began at `time`, seconds since 1970. */
  take(time: number): SketchRow[]
}

export interface CallTotalsOptions {
  /** What the kernel has counted, process by process. */
  readonly read: () => readonly CallSketch[]
  /** undefined: nobody knows that process any more. */
  readonly serviceOf: (pid: number, port: number) => string | undefined
  /** Whether an address is this host's. */
  readonly isOwnAddress: (address: string) => boolean
  /** `sketches.other.calls`: groups that found no room. */
  readonly counters: Counters
}

/** The kernel has room for 1,023 processes and peers at a time; those that came and went are kept for a while. */
const MOST_GROUPS = 2_000
/** Minutes without a call after which a group is forgotten. */
const IDLE_MINUTES = 5
const UNKNOWN_SERVICE = '(unknown)'

type Sums = { -readonly [name in keyof CallCounts]: number }

interface Group extends CallGroup {
  readonly counts: Sums
  readonly minute: Sums
  readonly minuteLatency: Uint32Array
  idleMinutes: number
}

interface Told {
  readonly counts: CallCounts
  readonly latency: Uint32Array
}

const nothing = (): Sums => Object.fromEntries(CALL_COUNTS.map(name => [name, 0])) as unknown as Sums
const DIRECTIONS = { client: 'out', server: 'in', unknown: 'unknown' } as const

export function createCallTotals(options: CallTotalsOptions): CallTotals {
  const { read, counters } = options
  const told = new Map<string, Told>()
  const groups = new Map<string, Group>()
  const sizes = new Map<string, number>()
  const all = { calls: 0, uncopied: 0, unplaced: 0 }
  let served = new Map<number, string>()

  const groupOf = (service: string, peer: string, direction: CallDirection): Group => {
    const key = JSON.stringify([service, peer, direction])
    const known = groups.get(key)
    if (known !== undefined) return known
    const mine = sizes.get(service) ?? 0
    // A crowd of peers of one service must not push other services' aside: half of the room is for everybody.
    const crowd = groups.size >= MOST_GROUPS / 2 && mine >= MOST_GROUPS / 8
    const full = groups.size >= MOST_GROUPS
    if ((crowd || full) && peer !== OTHER_NAME) {
      counters.add('sketches.other.calls')
      return groupOf(full && mine === 0 ? OTHER_NAME : service, OTHER_NAME, direction)
    }
    const latency = (): Uint32Array => new Uint32Array(LATENCY_BUCKETS)
    const group: Group = {
      ...{ service, peer, direction, counts: nothing(), latency: latency() },
      ...{ minute: nothing(), minuteLatency: latency(), idleMinutes: 0 },
    }
    groups.set(key, group)
    sizes.set(service, mine + 1)
    return group
  }
  const serviceOf = (sketch: CallSketch): string => {
    if (sketch.pid === 0) return OTHER_NAME
    return options.serviceOf(sketch.pid, sketch.role === 'server' ? sketch.port : 0) ?? UNKNOWN_SERVICE
  }
  const peerOf = ({ pid, role, transport, address, port }: CallSketch): string => {
    if (pid === 0) return OTHER_NAME
    if (transport === 'unix') return 'unix'
    if (role !== 'client') return address
    return (options.isOwnAddress(address) ? served.get(port) : undefined) ?? endpoint(address, port)
  }
  const add = (sketch: CallSketch): void => {
    const { pid, role, transport, address, port, counts, latency } = sketch
    const key = `${pid} ${role} ${transport} ${address} ${port}`
    const before = told.get(key)
    const group = groupOf(serviceOf(sketch), peerOf(sketch), DIRECTIONS[role])
    for (const name of CALL_COUNTS) {
      const grown = counts[name] - (before?.counts[name] ?? 0)
      group.counts[name] += grown
      group.minute[name] += grown
    }
    const calls = counts.sentCalls + counts.receivedCalls
    const grown = calls - (before === undefined ? 0 : before.counts.sentCalls + before.counts.receivedCalls)
    all.calls += grown
    all.uncopied += counts.uncopiedCalls - (before?.counts.uncopiedCalls ?? 0)
    if (pid === 0) all.unplaced += grown
    if (counts.answers !== before?.counts.answers) {
      for (let i = 0; i < LATENCY_BUCKETS; i++) {
        const more = latency[i]! - (before?.latency[i] ?? 0)
        group.latency[i]! += more
        group.minuteLatency[i]! += more
      }
    }
    if (sketch.ended) told.delete(key)
    else told.set(key, { counts, latency })
  }
  const update = (): void => {
    const sketches = read()
    served = servers(sketches, serviceOf)
    for (const sketch of sketches) add(sketch)
  }
  const forgetIdle = (): void => {
    for (const [key, group] of groups) {
      if (group.idleMinutes < IDLE_MINUTES) continue
      groups.delete(key)
      const left = sizes.get(group.service)! - 1
      if (left === 0) sizes.delete(group.service)
      else sizes.set(group.service, left)
    }
  }
  return {
    groups: () => {
      update()
      return [...groups.values()]
    },
    coverage: () => {
      update()
      const { calls, uncopied, unplaced } = all
      return { calls, copied: calls - uncopied, uncopied, unplaced }
    },
    take: time => {
      update()
      const rows: SketchRow[] = []
      for (const group of groups.values()) {
        const busy = CALL_COUNTS.some(name => group.minute[name] !== 0)
        group.idleMinutes = busy ? 0 : group.idleMinutes + 1
        if (!busy) continue
        rows.push(kernelRow(time, group, group.minute, group.minuteLatency))
        Object.assign(group.minute, nothing())
        group.minuteLatency.fill(0)
      }
      forgetIdle()
      return rows
    },
  }
}

const endpoint = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

/** Which service answers on which port of this host; none where several do, each in a network of its own. */
function servers(sketches: readonly CallSketch[], serviceOf: (sketch: CallSketch) => string): Map<number, string> {
  const found = new Map<number, string>()
  const doubtful = new Set<number>()
  for (const sketch of sketches) {
    if (sketch.role !== 'server' || sketch.port === 0) continue
    const service = serviceOf(sketch)
    const known = found.get(sketch.port)
    if (known !== undefined && known !== service) doubtful.add(sketch.port)
    found.set(sketch.port, service)
  }
  for (const port of doubtful) found.delete(port)
  return found
}

/** Names of the counters that a row of kind `kernel` has in `items`. */
export const KERNEL_COUNTERS = ['connections', 'socket_calls', 'uncopied_calls'] as const

/** What a group did in the minute that began at `time`. */
export function kernelRow(
  time: number,
  { service, peer, direction }: Pick<CallGroup, 'service' | 'peer' | 'direction'>,
  sums: CallCounts,
  latency: Uint32Array,
): SketchRow {
  const asked = direction === 'in' ? sums.receivedBytes : sums.sentBytes
  const items = [
    { item: 'connections', count: sums.connections },
    { item: 'socket_calls', count: sums.sentCalls + sums.receivedCalls },
    { item: 'uncopied_calls', count: sums.uncopiedCalls },
  ]
  return {
    ...{ time, kind: 'kernel', service, name: peer, class: direction, format: KERNEL_SKETCH_FORMAT },
    ...{ calls: sums.answers, errors: sums.failedCalls, durationNs: sums.latencySumNs, longestNs: longest(latency) },
    ...{ requestBytes: asked, responseBytes: sums.sentBytes + sums.receivedBytes - asked, bins: binsOf(latency) },
    ...{ registers: { indexes: [], ranks: [] }, items: items.filter(({ count }) => count > 0) },
  }
}

/** Buckets that hold something, in ascending order. */
export function binsOf(latency: Uint32Array): SketchRow['bins'] {
  const bins = { indexes: [] as number[], counts: [] as number[] }
  latency.forEach((count, index) => {
    if (count === 0) return
    bins.indexes.push(index)
    bins.counts.push(count)
  })
  return bins
}

/** Where the highest bucket that holds something ends: nothing took longer, unless it is the last one. */
function longest(latency: Uint32Array): number {
  for (let index = latency.length - 1; index >= 0; index--) {
    if (latency[index] === 0) continue
    const { from, to } = latencyBucket(index)
    return Math.round(Number.isFinite(to) ? to : from)
  }
  return 0
}
