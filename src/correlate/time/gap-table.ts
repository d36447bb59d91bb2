import { stepCode, stepOf } from './operation-model.js'
import type { RequestRow } from './request-row.js'

/**
 * The rows of one kind of request as columns, NaN where a row has no such event: one line a request, one column a step
 * (the first, second, or any later call of a kind).
 */
export interface GapTable {
  readonly rows: number
  /** Step numbers, in order of first appearance. */
  readonly steps: readonly number[]
  readonly columnOf: ReadonlyMap<number, number>
  readonly seen: readonly number[]
  readonly starts: readonly Float64Array[]
  readonly ends: readonly Float64Array[]
  /** Always 0: the request's own start. */
  readonly begin: Float64Array
  readonly end: Float64Array
  /** End of the call that ended last. */
  readonly lastEnd: Float64Array
  /** How often each pattern (how many calls of each kind) occurs. */
  readonly patterns: ReadonlyMap<number, number>
}

export function createGapTable(rows: readonly RequestRow[]): GapTable {
  const count = rows.length
  const nothing = (): Float64Array => new Float64Array(count).fill(Number.NaN)
  const steps: number[] = []
  const columnOf = new Map<number, number>()
  const seen: number[] = []
  const starts: Float64Array[] = []
  const ends: Float64Array[] = []
  const lastEnd = nothing()
  const patterns = new Map<number, number>()
  const occurrences = new Map<number, number>()
  rows.forEach((row, line) => {
    occurrences.clear()
    let pattern = 0
    for (const call of row.calls) {
      const nth = occurrences.get(call.kind) ?? 0
      occurrences.set(call.kind, nth + 1)
      pattern = (pattern + stepCode(call.kind, nth)) | 0
      const step = stepOf(call.kind, nth)
      let column = columnOf.get(step)
      if (column === undefined) {
        column = steps.length
        columnOf.set(step, column)
        steps.push(step)
        seen.push(0)
        starts.push(nothing())
        ends.push(nothing())
      }
      seen[column]!++
      starts[column]![line] = call.start
      ends[column]![line] = call.end
      if (!(lastEnd[line]! >= call.end)) lastEnd[line] = call.end
    }
    patterns.set(pattern, (patterns.get(pattern) ?? 0) + 1)
  })
  const end = Float64Array.from(rows, row => row.duration)
  return { rows: count, steps, columnOf, seen, starts, ends, begin: new Float64Array(count), end, lastEnd, patterns }
}

/** Chooses a column of a table; undefined where the table has none. */
export type Column = (table: GapTable) => Float64Array | undefined

export const column = {
  begin: ((table: GapTable) => table.begin) as Column,
  end: ((table: GapTable) => table.end) as Column,
  lastEnd: ((table: GapTable) => table.lastEnd) as Column,
  startOf:
    (step: number): Column =>
    table =>
      columnOf(table, step, table.starts),
  endOf:
    (step: number): Column =>
    table =>
      columnOf(table, step, table.ends),
}

function columnOf(table: GapTable, step: number, columns: readonly Float64Array[]): Float64Array | undefined {
  const at = table.columnOf.get(step)
  return at === undefined ? undefined : columns[at]
}
