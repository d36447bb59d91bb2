import type { FinishedSpan } from '../traces/span.js'
import { createQuantileSketch, type QuantileSketch } from './quantile-sketch.js'

/** Tells a span that is slow for its own operation, by the sketch of all spans of that operation. */
export interface SlowSpans {
  /** Adds the span, and says whether it is slower than that share (0 to 1) of those before it. */
  isSlow(span: FinishedSpan, share: number): boolean
}

interface Operation {
  sketch: QuantileSketch
  /** By share; what was known when the sketch last had a power of two of values. */
  readonly limits: Map<number, number>
  nextLook: number
}

/** Too few to say what is slow. */
const FEWEST = 128
/** Then what was long ago is forgotten. */
const MOST_VALUES = 1 << 17
const MOST_OPERATIONS = 10_000

export function createSlowSpans(): SlowSpans {
  const operations = new Map<string, Map<string, Operation>>()
  let size = 0

  const operationOf = ({ resource, name, kind }: FinishedSpan): Operation | undefined => {
    const key = `${kind} ${resource.service}`
    let names = operations.get(key)
    if (names === undefined) {
      if (size >= MOST_OPERATIONS) return undefined
      names = new Map()
      operations.set(key, names)
    }
    let operation = names.get(name)
    if (operation === undefined) {
      if (size >= MOST_OPERATIONS) return undefined
      size++
      operation = { sketch: createQuantileSketch(), limits: new Map(), nextLook: FEWEST }
      names.set(name, operation)
    }
    return operation
  }
  return {
    isSlow: (span, share) => {
      const operation = operationOf(span)
      if (operation === undefined) return false
      const limit = operation.limits.get(share)
      operation.sketch.add(span.durationNs)
      if (operation.sketch.count() >= operation.nextLook || (limit === undefined && operation.limits.size > 0)) {
        for (const known of [...operation.limits.keys(), share]) {
          operation.limits.set(known, operation.sketch.quantile(known))
        }
        operation.nextLook = operation.sketch.count() * 2
        if (operation.nextLook > MOST_VALUES) {
          operation.sketch = createQuantileSketch()
          operation.nextLook = MOST_VALUES >> 2
        }
      }
      return limit !== undefined && span.durationNs > limit
    },
  }
}
