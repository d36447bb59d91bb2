/**
 * Heavy hitters by the algorithm of Misra and Gries (1982), which merges (Agarwal et al., "Mergeable summaries", 2012):
 * of `total` items at most `capacity` are named, each with a count that is too small by at most
 * total / (capacity + 1). What is not in the counts of the named ones is "other", and is counted.
 */
export interface FrequentItems {
  readonly capacity: number
  add(item: string, times?: number): void
  /** False, and nothing done, if the other has another capacity: its error would not be ours. */
  merge(other: FrequentItems): boolean
  total(): number
  /** Largest first. */
  items(): readonly FrequentItem[]
  /** The most by which any count may be too small. */
  error(): number
}

export interface FrequentItem {
  readonly item: string
  /** At most what it is, and at least that less `error()`. */
  readonly count: number
}

export const FREQUENT_CAPACITY = 64
/** Longer texts are cut: a hostile one would fill memory. */
const LONGEST_ITEM = 200

export function createFrequentItems(capacity = FREQUENT_CAPACITY): FrequentItems {
  const counts = new Map<string, number>()
  let total = 0
  let taken = 0
  // Twice the capacity before anything is taken off: sorting is then rare, and the error half as large until it is.
  const limit = capacity * 2

  const add = (item: string, times: number): void => {
    counts.set(item, (counts.get(item) ?? 0) + times)
    if (counts.size > limit) taken += trim(counts, capacity)
  }
  return {
    capacity,
    add: (item, times = 1) => {
      total += times
      add(item.length > LONGEST_ITEM ? item.slice(0, LONGEST_ITEM) : item, times)
    },
    merge: other => {
      if (other.capacity !== capacity) return false
      total += other.total()
      taken += other.error()
      for (const { item, count } of other.items()) counts.set(item, (counts.get(item) ?? 0) + count)
      taken += trim(counts, capacity)
      return true
    },
    total: () => total,
    items: () => {
      taken += trim(counts, capacity)
      return [...counts]
        .map(([item, count]) => ({ item, count }))
        .sort((a, b) => b.count - a.count || (a.item < b.item ? -1 : 1))
    },
    error: () => {
      taken += trim(counts, capacity)
      return taken
    },
  }
}

/** Takes the count of the first that is too many off all; returns it. */
function trim(counts: Map<string, number>, capacity: number): number {
  if (counts.size <= capacity) return 0
  const sorted = [...counts.values()].sort((a, b) => b - a)
  const cut = sorted[capacity]!
  for (const [item, count] of counts) {
    if (count <= cut) counts.delete(item)
    else counts.set(item, count - cut)
  }
  return cut
}
