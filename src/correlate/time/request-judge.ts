import { OCCURRENCES, type OperationModel, stepCode } from './operation-model.js'
import type { ServiceWindow } from './service-window.js'

/** A step that the model does not have (nats). */
const UNKNOWN_STEP = -30

/**
 * The waits of one request, three numbers for each step and for the end: when it began to wait, when it went on, normal
 * score of the gap. NaN where the request has no such step.
 */
export type Waits = readonly number[]

/** A request with given calls. */
export interface Judgement {
  /** How likely it is that the request made exactly these calls when it made them (nats). */
  readonly log: number
  readonly waits: Waits
}

export interface RequestJudge {
  /** @param calls ascending. */
  judge(request: number, calls: readonly number[]): Judgement
  /** Normal scores of what was judged last: steps, end, durations; NaN where there is none. */
  readonly scores: Float64Array
}

const NO_WAITS: Waits = []

export function createRequestJudge(window: ServiceWindow, operations: readonly OperationModel[]): RequestJudge {
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
      const nth = occurrences[kind]!
      occurrences[kind] = nth + 1
      if (nth < OCCURRENCES) pattern = (pattern + stepCode(kind, nth)) | 0
      const index = model.indexOf[kind * OCCURRENCES + (nth < OCCURRENCES ? nth : OCCURRENCES - 1)]!
      if (callEnd[call]! > lastEnd) lastEnd = callEnd[call]!
      if (index < 0) log += UNKNOWN_STEP
      else callAt[index] = call
    }
    for (const call of calls) occurrences[callKind[call]!] = 0
    return log + (model.patterns.get(pattern) ?? model.otherPattern)
  }
  /** Order counts from the event that let a step go: past calls that were started side by side. */
  const releasedAt = (model: OperationModel, index: number, start: number, since: number): number => {
    let origin = index
    let released = since
    for (let hop = 0; hop < model.steps.length && model.steps[origin]!.waitsFor === 'start'; hop++) {
      origin = model.steps[origin]!.after
      const { waitsFor, after } = model.steps[origin]!
      const call = waitsFor === 'end' ? callAt[after]! : -1
      released = call >= 0 ? callEnd[call]! : start
    }
    return released
  }

  const judge = (request: number, calls: readonly number[]): Judgement => {
    const model = operations[requestKind[request]!]!
    const { steps } = model
    const count = steps.length
    const start = requestStart[request]!
    const end = requestEnd[request]!
    callAt.fill(-1, 0, count)
    scores.fill(Number.NaN, 0, 2 * count + 1)
    let log = place(model, calls)
    if (calls.length === 0) return { log: log + model.childless.log(end - start), waits: NO_WAITS }
    const waits: number[] = new Array(3 * count + 3).fill(Number.NaN)
    let present = 1 << count
    for (let index = 0; index < count; index++) {
      const call = callAt[index]!
      if (call < 0) continue
      const step = steps[index]!
      const other = step.after >= 0 ? callAt[step.after]! : -1
      const since = other < 0 ? start : step.waitsFor === 'start' ? callStart[other]! : callEnd[other]!
      log += (other < 0 ? step.sinceRequest : step.gap).logAndScore(callStart[call]! - since, scores, index)
      waits[3 * index] = step.waitsFor === 'start' ? releasedAt(model, index, start, since) : since
      waits[3 * index + 1] = callStart[call]!
      waits[3 * index + 2] = scores[index]!
      present |= 1 << index
      if (step.duration === undefined) continue
      const at = count + 1 + index
      scores[at] = step.duration.normalScore(callEnd[call]! - callStart[call]!)
      present |= 1 << at
    }
    const last = model.endsAfter >= 0 ? callAt[model.endsAfter]! : -1
    const since = last >= 0 ? callEnd[last]! : lastEnd
    log += model.ending.logAndScore(end - since, scores, count)
    waits[3 * count] = since
    waits[3 * count + 1] = end
    waits[3 * count + 2] = scores[count]!
    return { log: model.correlation === undefined ? log : log + model.correlation.log(present, scores), waits }
  }
  return { judge, scores }
}

/** True if both wait at `step` at the same time: each goes on after the other has begun to wait. */
export function waitTogether(a: Waits, b: Waits, step: number): boolean {
  if (a.length === 0 || b.length === 0) return false
  const beganA = a[3 * step]!
  const beganB = b[3 * step]!
  // Comparisons with NaN are false: so is the answer where one of them does not wait.
  return (
    a[3 * step + 1]! > beganB && b[3 * step + 1]! > beganA && a[3 * step + 1]! > beganA && b[3 * step + 1]! > beganB
  )
}
