import type { Call } from '../protocols/conversation.js'
import type { Seed } from './seeds.js'

type Random = (limit: number) => number

/** Values at which length fields break: 0, 1, all ones, sign bits. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff]
const WORDS = [0, 1, 0x7f_ff, 0x80_00, 0xff_ff, 0x7f_ff_ff_ff, 0x80_00_00_00, 0xff_ff_ff_ff]
const MOST_REPEATS = 64
const LONGEST = 256 * 1024

type Mutation = (calls: Call[], random: Random, seeds: readonly Seed[]) => void

const pick = <T>(list: readonly T[], random: Random): T | undefined => list[random(Math.max(1, list.length))]

/** Replaces one call by what `change` makes of a copy of its bytes. */
function edit(calls: Call[], random: Random, change: (bytes: Uint8Array) => Uint8Array): void {
  const at = random(calls.length)
  const call = calls[at]
  if (call === undefined || call.bytes.length === 0) return
  // Not slice(): a Buffer's shares its memory, and the seed would be another one from then on.
  calls[at] = { ...call, bytes: change(new Uint8Array(call.bytes)) }
}

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a bit': (calls, random) =>
    edit(calls, random, bytes => {
      const at = random(bytes.length)
      bytes[at] = bytes[at]! ^ (1 << random(8))
      return bytes
    }),
  'a byte at an edge': (calls, random) =>
    edit(calls, random, bytes => {
      bytes[random(bytes.length)] = EDGES[random(EDGES.length)]!
      return bytes
    }),
  'a number at its limit': (calls, random) =>
    edit(calls, random, bytes => {
      const width = [2, 3, 4, 8][random(4)]!
      const at = random(Math.max(1, bytes.length - width))
      const word = WORDS[random(WORDS.length)]!
      const littleEndian = random(2) === 0
      for (let i = 0; i < width && at + i < bytes.length; i++) {
        const shift = 8 * (littleEndian ? i : width - 1 - i)
        bytes[at + i] = shift >= 32 ? (word === 0xff_ff_ff_ff ? 0xff : 0) : (word >>> shift) & 0xff
      }
      return bytes
    }),
  'cut short': (calls, random) => edit(calls, random, bytes => bytes.subarray(0, random(bytes.length))),
  'a piece left out': (calls, random) =>
    edit(calls, random, bytes => {
      const from = random(bytes.length)
      const to = from + 1 + random(bytes.length - from)
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
    }),
  'a piece many times': (calls, random) =>
    edit(calls, random, bytes => {
      const from = random(bytes.length)
      const piece = bytes.subarray(from, from + 1 + random(Math.min(64, bytes.length - from)))
      const times = 1 + random(MOST_REPEATS)
      return Buffer.concat([
        bytes.subarray(0, from),
        ...Array.from({ length: times }, () => piece),
        bytes.subarray(from),
      ])
    }),
  'noise put in': (calls, random) =>
    edit(calls, random, bytes => {
      const at = random(bytes.length)
      const noise = Uint8Array.from({ length: 1 + random(64) }, () => random(256))
      return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)])
    }),
  'a call left out': (calls, random) => void calls.splice(random(calls.length), 1),
  'a call twice': (calls, random) => {
    const at = random(calls.length)
    if (calls[at] !== undefined) calls.splice(at, 0, calls[at])
  },
  'two calls exchanged': (calls, random) => {
    const [a, b] = [random(calls.length), random(calls.length)]
    const kept = calls[a]
    if (kept === undefined || calls[b] === undefined) return
    calls[a] = calls[b]
    calls[b] = kept
  },
  'said by the other side': (calls, random) => {
    const at = random(calls.length)
    const call = calls[at]
    if (call !== undefined) calls[at] = { ...call, sender: call.sender === 'client' ? 'server' : 'client' }
  },
  'continued by another conversation': (calls, random, seeds) => {
    const other = pick(seeds, random)
    if (other === undefined) return
    calls.splice(random(calls.length + 1))
    calls.push(...other.conversation.slice(random(other.conversation.length)))
  },
  'a call of another conversation in between': (calls, random, seeds) => {
    const call = pick(pick(seeds, random)?.conversation ?? [], random)
    if (call !== undefined) calls.splice(random(calls.length + 1), 0, call)
  },
  'without end': (calls, random) => {
    const at = random(calls.length)
    const call = calls[at]
    if (call === undefined || call.bytes.length === 0) return
    const times = Math.min(MOST_REPEATS, Math.floor(LONGEST / call.bytes.length))
    calls.splice(at, 0, ...Array.from({ length: random(times + 1) }, () => call))
  },
}

/** One to four mutations of the conversation, named; the seed's own bytes are not touched. */
export function mutate(seed: Seed, random: Random, seeds: readonly Seed[]): { calls: Call[]; names: string[] } {
  const calls = [...seed.conversation]
  const names: string[] = []
  const kinds = Object.entries(MUTATIONS)
  for (let count = 1 + random(4); count > 0 && calls.length > 0; count--) {
    const [name, mutation] = kinds[random(kinds.length)]!
    mutation(calls, random, seeds)
    names.push(name)
  }
  return { calls, names }
}
