/**
 * Everything that is counted, lost, dropped or refused anywhere in the pipeline ends up here by name, so that
 * `status`, `/metrics` and the summaries of `record`, `replay` and `demo` read one place.
 *
 * Names are dotted, lower case, in the order room.what.cause: `capture.lost.ring_full`, `protocols.http.resync`.
 * A counter handle is a plain object whose `value` hot code increments directly.
 */
export interface Counter {
  readonly name: string
  value: number
}

export interface Counters {
  /** The counter of that name, created at 0 on first use. */
  counter(name: string): Counter
  /** Adds without keeping a handle; for rare events. */
  add(name: string, amount?: number): void
  /** All counters whose name starts with `prefix`, sorted by name, zeros left out unless `zeros`. */
  snapshot(prefix?: string, zeros?: boolean): Record<string, number>
}

export function createCounters(): Counters {
  const byName = new Map<string, Counter>()
  const counter = (name: string): Counter => {
    let found = byName.get(name)
    if (found === undefined) {
      found = { name, value: 0 }
      byName.set(name, found)
    }
    return found
  }
  return {
    counter,
    add: (name, amount = 1) => {
      counter(name).value += amount
    },
    snapshot: (prefix = '', zeros = false) => {
      const result: Record<string, number> = {}
      for (const name of [...byName.keys()].sort()) {
        const value = byName.get(name)!.value
        if (name.startsWith(prefix) && (zeros || value !== 0)) result[name] = value
      }
      return result
    },
  }
}
