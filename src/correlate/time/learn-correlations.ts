import { createCorrelationSums, type GapCorrelation } from './gap-correlation.js'
import { POOL_WEIGHT, STEPS_WITH_DURATIONS } from './learn-operations.js'
import type { OperationModel } from './operation-model.js'
import { createRequestJudge } from './request-judge.js'
import type { RequestRow } from './request-row.js'
import type { ServiceWindow } from './service-window.js'

/** Rows of other kinds that are looked at for one kind. */
const POOLED_ROWS = 2_000

/** Normal scores of one row, by step number and then as in `OperationModel.correlation`. */
interface ScoredRow {
  readonly kind: number
  readonly gaps: ReadonlyMap<number, number>
  readonly durations: ReadonlyMap<number, number>
  readonly end: number
}

/** Adds to each operation what the gaps of one request tell about each other. Rows of other kinds count a little. */
export function learnCorrelations(operations: readonly OperationModel[], rows: readonly RequestRow[]): void {
  const scored = scoreRows(operations, rows)
  const byKind: ScoredRow[][] = operations.map(() => [])
  for (const row of scored) byKind[row.kind]!.push(row)
  // Kinds too rare to be learned apart share their steps, and so this.
  const bySteps = new Map<OperationModel['steps'], GapCorrelation>()
  operations.forEach((model, kind) => {
    if (model.steps.length === 0) return
    model.correlation = bySteps.get(model.steps)
    if (model.correlation !== undefined) return
    const columns = columnsOf(model)
    const sums = createCorrelationSums(columns)
    if (sums === undefined) return
    const scores = new Float64Array(columns)
    for (const row of byKind[kind]!) sums.add(scoresFor(model, row, scores), 1)
    const others = scored.length - byKind[kind]!.length
    if (others > 0) {
      const stride = Math.max(1, Math.ceil(scored.length / POOLED_ROWS))
      const weight = Math.min(1, POOL_WEIGHT / others) * stride
      for (let at = 0; at < scored.length; at += stride) {
        const row = scored[at]!
        if (row.kind !== kind) sums.add(scoresFor(model, row, scores), weight)
      }
    }
    model.correlation = sums.finish()
    bySteps.set(model.steps, model.correlation)
  })
}

function columnsOf(model: OperationModel): number {
  const count = model.steps.length
  return count <= STEPS_WITH_DURATIONS ? 2 * count + 1 : count + 1
}

function scoresFor(model: OperationModel, row: ScoredRow, scores: Float64Array): Float64Array {
  const count = model.steps.length
  model.steps.forEach((step, index) => {
    scores[index] = row.gaps.get(step.step) ?? Number.NaN
    if (step.duration !== undefined) scores[count + 1 + index] = row.durations.get(step.step) ?? Number.NaN
  })
  scores[count] = row.end
  return scores
}

function scoreRows(operations: readonly OperationModel[], rows: readonly RequestRow[]): ScoredRow[] {
  const window = windowOfRows(rows, operations.length)
  const judge = createRequestJudge(window, operations)
  const scored: ScoredRow[] = []
  let call = 0
  rows.forEach((row, request) => {
    const calls = row.calls.map(() => call++)
    if (calls.length === 0) return
    judge.judge(request, calls)
    const { steps } = operations[row.kind]!
    const gaps = new Map<number, number>()
    const durations = new Map<number, number>()
    steps.forEach((step, index) => {
      const gap = judge.scores[index]!
      if (!Number.isNaN(gap)) gaps.set(step.step, gap)
      const duration = judge.scores[steps.length + 1 + index]!
      if (!Number.isNaN(duration)) durations.set(step.step, duration)
    })
    scored.push({ kind: row.kind, gaps, durations, end: judge.scores[steps.length]! })
  })
  return scored
}

/** Rows laid out as a window without candidates, each at time 0, so that the likelihood can be asked about them. */
export function windowOfRows(rows: readonly RequestRow[], requestKinds: number): ServiceWindow {
  const calls = rows.flatMap(row => row.calls)
  return {
    requestCount: rows.length,
    requestStart: new Float64Array(rows.length),
    requestEnd: Float64Array.from(rows, row => row.duration),
    requestKind: Int32Array.from(rows, row => row.kind),
    requestPlace: new Int32Array(rows.length),
    requestKinds,
    callCount: calls.length,
    callStart: Float64Array.from(calls, call => call.start),
    callEnd: Float64Array.from(calls, call => call.end),
    callKind: Int32Array.from(calls, call => call.kind),
    callKinds: calls.reduce((most, call) => Math.max(most, call.kind + 1), 1),
    fixed: new Uint8Array(calls.length),
    firstCandidate: new Int32Array(calls.length + 1),
    candidates: new Int32Array(0),
    leftOut: new Int32Array(calls.length),
    length: 1,
  }
}
