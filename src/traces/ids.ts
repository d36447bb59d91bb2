import type { WallTime } from '../capture/capture-clock.js'
import type { Sample } from '../samples/sample.js'
import { hex64, mix64, type WireKey } from '../samples/wire-key.js'

/** Turns a client span's id into its server span's: a bijection, so either can be had from the other. */
export const SERVER_HIGH = 0x5bd1e995
export const SERVER_LOW = 0x1b873593

const TWO_32 = 4_294_967_296

/**
 * The id of a sample's span, 16 hex digits, never zero: derived, so that both ends of a connection agree about each
 * other's, and the same capture gives the same ids twice.
 */
export function spanIdOf(sample: Sample): string {
  if (sample.spanId === '') {
    const key = keyOf(sample)
    sample.spanId = sample.side === 'client' ? hex64(key.high, key.low) : serverSpanId(key)
  }
  return sample.spanId
}

function serverSpanId({ high, low }: WireKey): string {
  const serverHigh = (high ^ SERVER_HIGH) >>> 0
  const serverLow = (low ^ SERVER_LOW) >>> 0
  // The one client id that would give zero keeps its own.
  return serverHigh === 0 && serverLow === 0 ? hex64(high, low) : hex64(serverHigh, serverLow)
}

/** The wire key, or where there is none (a Unix peer that was never seen) a mix of what names the sample here. */
function keyOf(sample: Sample): WireKey {
  if (sample.wireHigh !== 0 || sample.wireLow !== 0) return { high: sample.wireHigh, low: sample.wireLow }
  const { id } = sample.connection
  return mix64([
    id,
    id / TWO_32,
    sample.requestPosition,
    sample.side === 'client' ? 1 : 2,
    sample.startNs,
    sample.startNs / TWO_32,
  ])
}

const words = [0, 0, 0, 0, 0, 0]

/** The id of a trace, 32 hex digits, never zero: from its root's span and start. */
export function traceIdOf(root: Sample, start: WallTime): string {
  const key = keyOf(root)
  words[0] = key.high
  words[1] = key.low
  words[2] = root.side === 'client' ? 1 : 2
  words[3] = start[0]
  words[4] = start[1]
  words[5] = 0
  const first = mix64(words)
  words[5] = 1
  const second = mix64(words)
  return hex64(first.high, first.low) + hex64(second.high, second.low)
}
