import { OCCURRENCES, type OperationModel, stepCode } from './operation-model.js'
import type { ServiceWindow } from './service-window.js'

/** A step that the model does not have (nats). */
const UNKNOWN_STEP = -30

/** How likely it is that a request made exactly these calls when it made them. */
export interface RequestLikelihood {
  /** @param calls ascending. Returns nats. */
  of(request: number, calls: readonly number[]): number
  /** Normal scores of the gaps of the request that was asked for last: steps, end, durations; NaN where there is none. */
  readonly scores: Float64Array
}

export function createRequestLikelihood(
  window: ServiceWindow,
  operations: readonly OperationModel[],
): RequestLikelihood {
  const { callKind, callStart, callEnd, requestStart, requestEnd, requestKind } = window
  const occurrences = new Int32Array(window.callKinds)
  const largest = Math.max(1, ...operations.map(operation => operation.steps.length))
  const callAt = new Int32Array(largest)
  const scores = new Float64Array(2 * largest + 1)
  let lastEnd = 0

  /** Puts each call in its step; returns the log probability of the pattern. */
  const place = (model: OperationModel, calls: readonly number[]): number => {
    let log = 0
    let pattern = 0
    lastEnd = Number.NEGATIVE_INFINITY
    for (const call of calls) {
      const kind = callKind[call]!
      const nth = occurrences[kind]!++
      if (nth < OCCURRENCES) pattern = (pattern + stepCode(kind, nth)) | 0
      const index = model.indexOf[kind * OCCURRENCES + (nth < OCCURRENCES ? nth : OCCURRENCES - 1)]!
      if (callEnd[call]! > lastEnd) lastEnd = callEnd[call]!
      if (index < 0) log += UNKNOWN_STEP
      else callAt[index] = call
    }
    for (const call of calls) occurrences[callKind[call]!] = 0
    return log + (model.patterns.get(pattern) ?? model.otherPattern)
  }

  const of = (request: number, calls: readonly number[]): number => {
    const model = operations[requestKind[request]!]!
    const count = model.steps.length
    const start = requestStart[request]!
    callAt.fill(-1, 0, count)
    scores.fill(Number.NaN, 0, 2 * count + 1)
    let log = place(model, calls)
    if (calls.length === 0) return log + model.childless.log(requestEnd[request]! - start)
    let present = 0
    for (let index = 0; index < count; index++) {
      const call = callAt[index]!
      if (call < 0) continue
      const step = model.steps[index]!
      const other = step.after >= 0 ? callAt[step.after]! : -1
      const since = other < 0 ? start : step.waitsFor === 'start' ? callStart[other]! : callEnd[other]!
      const gap = other < 0 ? step.sinceRequest : step.gap
      log += gap.logAndScore(callStart[call]! - since, scores, index)
      present |= 1 << index
      if (step.duration === undefined) continue
      const at = count + 1 + index
      scores[at] = step.duration.normalScore(callEnd[call]! - callStart[call]!)
      present |= 1 << at
    }
    const last = model.endsAfter >= 0 ? callAt[model.endsAfter]! : -1
    const since = last >= 0 ? callEnd[last]! : lastEnd
    log += model.ending.logAndScore(requestEnd[request]! - since, scores, count)
    present |= 1 << count
    return model.correlation === undefined ? log : log + model.correlation.log(present, scores)
  }
  return { of, scores }
}
