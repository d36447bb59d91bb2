import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { TimeSample } from '../../src/correlate/time/link-by-time.js'

/** One line of a set: a sample, with the truth beside it, which only the scorer reads. */
interface Line {
  readonly id: number
  readonly service: string
  readonly side: 'client' | 'server'
  readonly peer: string
  readonly operation: string
  readonly start_us: number
  readonly end_us: number
  readonly truth_trace: number
  readonly truth_parent: number | null
}

export interface Truth {
  readonly trace: Int32Array
  /** Client side: the request that made the call; -1 where none was seen. */
  readonly parent: Int32Array
  /** Services that more than one service calls; TraceWeaver's own scorer leaves them out. */
  readonly severalCallers: ReadonlySet<string>
}

export interface SpanSet {
  readonly name: string
  readonly samples: readonly TimeSample[]
  readonly truth: Truth
}

/** Reads a set of JSON lines, gzipped or not. Throws with the file's name where it is not one. */
export function readSpanSet(file: string): SpanSet {
  const bytes = readFileSync(file)
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8')
  const lines = text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Line)
  const indexOf = new Map(lines.map((line, index) => [line.id, index]))
  const callers = new Map<string, Set<string>>()
  for (const { side, service, peer } of lines) {
    if (side === 'server') callers.set(service, (callers.get(service) ?? new Set()).add(peer))
  }
  return {
    name: basename(file).replace(/\.jsonl(\.gz)?$/, ''),
    samples: lines.map(({ service, side, peer, operation, start_us: start, end_us: end }) => {
      return { service, side, kind: side === 'server' ? operation : `${peer} ${operation}`, start, end }
    }),
    truth: {
      trace: Int32Array.from(lines, line => line.truth_trace),
      parent: Int32Array.from(lines, line => indexOf.get(line.truth_parent ?? -1) ?? -1),
      severalCallers: new Set([...callers].filter(([, peers]) => peers.size > 1).map(([service]) => service)),
    },
  }
}
