import { existsSync } from 'node:fs'
import { AF_INET, ipv4Text, ipv6Text } from './address-text.js'
import { CALL_SKETCH, CALL_SKETCH_KEY, CALL_SKETCH_SLOTS, LATENCY_BUCKETS } from './call-sketch-layout.js'
import { WireTransport } from './event-layout.js'
import type { CaptureHandle, NativeAddon } from './native-addon.js'

/** What the kernel has counted of a process' calls with one peer, since the process was first seen with it. */
export interface CallSketch {
  /** 0: of all that found no place of their own (`capture.failed.sketch_full`). */
  readonly pid: number
  readonly role: 'client' | 'server' | 'unknown'
  readonly transport: 'tcp' | 'unix'
  /** The peer's address; '' for Unix sockets. */
  readonly address: string
  /** The server's port; 0 for Unix sockets, and where the role is not known. */
  readonly port: number
  readonly counts: CallCounts
  /** The process has ended: this is the last time that it is told. */
  readonly ended: boolean
  /** Number of answers by latency (last byte of a request to first byte of its answer), by bucket. */
  readonly latency: Uint32Array
}

export interface CallCounts {
  readonly sentCalls: number
  readonly sentBytes: number
  readonly receivedCalls: number
  readonly receivedBytes: number
  readonly failedCalls: number
  /** Of the calls that moved bytes, those that were counted only. */
  readonly uncopiedCalls: number
  readonly connections: number
  readonly answers: number
  readonly latencySumNs: number
}

/** Reads the kernel's sketches; slots of processes that have ended are given back once they were read. */
export interface CallSketchReader {
  read(): CallSketch[]
}

const ROLES = ['unknown', 'client', 'server'] as const
/** Names of all that is counted. */
export const CALL_COUNTS = [
  'sentCalls',
  'sentBytes',
  'receivedCalls',
  'receivedBytes',
  'failedCalls',
  'uncopiedCalls',
  'connections',
  'answers',
  'latencySumNs',
] as const

interface Totals {
  readonly counts: Record<keyof CallCounts, number>
  readonly latency: Uint32Array
}

/** @param alive whether a process still runs; default: /proc knows it. */
export function createCallSketchReader(
  addon: NativeAddon,
  handle: CaptureHandle,
  alive: (pid: number) => boolean = pid => existsSync(`/proc/${pid}`),
): CallSketchReader {
  const before = new Map<number, Totals>()
  const living = new Map<number, boolean>()
  const isGone = (pid: number): boolean => {
    const known = living.get(pid)
    if (known !== undefined) return !known
    const lives = alive(pid)
    living.set(pid, lives)
    return !lives
  }
  const giveBack = (slots: readonly number[]): void => {
    addon.update(handle, 'free_sketches', new Uint8Array(0), new Uint8Array(Uint32Array.from(slots).buffer))
  }
  const read = (slot: number): Totals => {
    const value = addon.lookup(handle, 'call_sketches', encodeNumber(slot))
    return value === undefined ? empty() : sum(value)
  }
  giveBack(Array.from({ length: CALL_SKETCH_SLOTS - 1 }, (_, i) => i + 1))

  return {
    read: () => {
      const found: CallSketch[] = []
      const keys = addon.keys(handle, 'sketch_slots')
      for (let at = 0; at + CALL_SKETCH_KEY.bytes <= keys.byteLength; at += CALL_SKETCH_KEY.bytes) {
        const key = keys.subarray(at, at + CALL_SKETCH_KEY.bytes)
        const value = addon.lookup(handle, 'sketch_slots', key)
        if (value === undefined) continue
        const slot = new DataView(value.buffer, value.byteOffset).getUint32(0, true)
        // Before the counts are read: what a process does after that must not become somebody else's.
        const ended = isGone(new DataView(key.buffer, key.byteOffset).getUint32(CALL_SKETCH_KEY.pid, true))
        const total = read(slot)
        found.push(decode(key, since(total, before.get(slot)), ended))
        if (!ended) continue
        addon.remove(handle, 'sketch_slots', key)
        // Nothing is set back: whoever has the slot next is counted from here.
        before.set(slot, total)
        giveBack([slot])
      }
      living.clear()
      const rest = read(0)
      if (rest.counts.sentCalls + rest.counts.receivedCalls > 0) {
        found.push({ pid: 0, role: 'unknown', transport: 'tcp', address: '', port: 0, ended: false, ...rest })
      }
      return found
    },
  }
}

function decode(key: Uint8Array, { counts, latency }: Totals, ended: boolean): CallSketch {
  const view = new DataView(key.buffer, key.byteOffset)
  const isTcp = view.getUint8(CALL_SKETCH_KEY.transport) === WireTransport.tcp
  const isV4 = view.getUint16(CALL_SKETCH_KEY.family, true) === AF_INET
  return {
    pid: view.getUint32(CALL_SKETCH_KEY.pid, true),
    role: ROLES[view.getUint8(CALL_SKETCH_KEY.role)] ?? 'unknown',
    transport: isTcp ? 'tcp' : 'unix',
    address: isTcp ? (isV4 ? ipv4Text : ipv6Text)(key, CALL_SKETCH_KEY.address) : '',
    port: view.getUint16(CALL_SKETCH_KEY.port, true),
    counts,
    ended,
    latency,
  }
}

function empty(): Totals {
  const counts = Object.fromEntries(CALL_COUNTS.map(name => [name, 0])) as Record<keyof CallCounts, number>
  return { counts, latency: new Uint32Array(LATENCY_BUCKETS) }
}

/** Over all CPUs. */
function sum(value: Uint8Array): Totals {
  const total = empty()
  for (let at = 0; at + CALL_SKETCH.bytes <= value.byteLength; at += CALL_SKETCH.bytes) {
    const view = new DataView(value.buffer, value.byteOffset + at, CALL_SKETCH.bytes)
    for (const name of CALL_COUNTS) total.counts[name] += Number(view.getBigUint64(CALL_SKETCH[name], true))
    // Most sketches are of few CPUs, and the latencies are most of their bytes.
    if (view.getBigUint64(CALL_SKETCH.answers, true) === 0n) continue
    for (let i = 0; i < LATENCY_BUCKETS; i++) {
      total.latency[i] = total.latency[i]! + view.getUint32(CALL_SKETCH.latency + 4 * i, true)
    }
  }
  return total
}

/** What came after `base`; both stay as they are. */
function since(total: Totals, base: Totals | undefined): Totals {
  if (base === undefined) return total
  const grown = empty()
  for (const name of CALL_COUNTS) grown.counts[name] = total.counts[name] - base.counts[name]
  for (let i = 0; i < LATENCY_BUCKETS; i++) grown.latency[i] = total.latency[i]! - base.latency[i]!
  return grown
}

function encodeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
