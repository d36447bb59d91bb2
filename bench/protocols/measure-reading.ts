import { readSamples } from './read-samples.js'

export interface MeasuredReading {
  readonly operations: number
  readonly samples: number
  /** CPU of one pass over the file, of all threads: the first, with everything that is compiled on the way, and later ones. */
  readonly firstCpuS: number
  readonly cpuS: number
  /** On V8's heap and in array buffers, in one pass. */
  readonly allocatedBytes: number
}

/** So much CPU time makes the figure steady. */
const MEASURED_CPU_SECONDS = 3

/** Reads a capture over and over in this process, as a daemon that runs for long would. */
export function measureReading(path: string): MeasuredReading {
  const first = cpuOf(() => readSamples(path))
  const passes: number[] = []
  let used = 0
  while (used < MEASURED_CPU_SECONDS) {
    const { cpuS } = cpuOf(() => readSamples(path))
    passes.push(cpuS)
    used += cpuS
  }
  // Last, when everything is compiled for good: what is not yet boxes its numbers.
  const allocatedBytes = allocatedIn(path)
  const { operations, samples } = first.result
  return { operations, samples, firstCpuS: first.cpuS, cpuS: used / passes.length, allocatedBytes }
}

function cpuOf<T>(work: () => T): { result: T; cpuS: number } {
  const before = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(before)
  return { result, cpuS: (user + system) / 1e6 }
}

/**
 * Bytes that one pass allocates: what memory grows by from one batch of records to the next. A batch in which garbage
 * was collected says nothing of itself and counts as much as the others do.
 */
function allocatedIn(path: string): number {
  const used = (): number => {
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  let sum = 0
  let counted = 0
  let before = used()
  const { batches } = readSamples(path, () => {
    const now = used()
    if (now > before) {
      sum += now - before
      counted++
    }
    before = now
  })
  return counted === 0 ? 0 : (sum / counted) * batches
}
