import type { Sample } from '../samples/sample.js'

/**
 * Samples of one side by their wire key. A map of small integers (the key's lower half) is several times faster than
 * one of 64-bit keys; the few samples that share a lower half with another one lie in a second map.
 */
export interface SamplesByWireKey {
  set(sample: Sample): void
  get(high: number, low: number): Sample | undefined
  delete(sample: Sample): void
  readonly size: number
}

export function createSamplesByWireKey(): SamplesByWireKey {
  const byLow = new Map<number, Sample>()
  const crowded = new Map<string, Sample>()
  const name = (high: number, low: number): string => `${high}:${low}`
  return {
    set: sample => {
      const key = sample.wireLow | 0
      const there = byLow.get(key)
      if (there === undefined || there.wireHigh === sample.wireHigh) byLow.set(key, sample)
      else crowded.set(name(sample.wireHigh, sample.wireLow), sample)
    },
    get: (high, low) => {
      const found = byLow.get(low | 0)
      if (found !== undefined && found.wireHigh === high) return found
      return crowded.size > 0 ? crowded.get(name(high, low)) : undefined
    },
    delete: sample => {
      const key = sample.wireLow | 0
      if (byLow.get(key) === sample) byLow.delete(key)
      else if (crowded.size > 0 && crowded.get(name(sample.wireHigh, sample.wireLow)) === sample) {
        crowded.delete(name(sample.wireHigh, sample.wireLow))
      }
    },
    get size() {
      return byLow.size + crowded.size
    },
  }
}
