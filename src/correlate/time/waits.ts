import { OCCURRENCES, type OperationModel } from './operation-model.js'
import type { ServiceWindow } from './service-window.js'

/**
 * The waits of one request, three numbers for each step and for the end: when it began to wait, when it went on, normal
 * score of the gap. NaN where the request has no such step.
 */
export type Waits = Float64Array

/** Computes the waits of a request for given calls (ascending). */
export type WaitsOf = (request: number, calls: readonly number[]) => Waits

export function createWaitsOf(window: ServiceWindow, operations: readonly OperationModel[]): WaitsOf {
  const { callKind, callStart, callEnd, requestStart, requestEnd, requestKind } = window
  const occurrences = new Int32Array(window.callKinds)
  const callAt = new Int32Array(Math.max(1, ...operations.map(operation => operation.steps.length)))

  const place = (model: OperationModel, calls: readonly number[]): number => {
    let lastEnd = Number.NaN
    callAt.fill(-1, 0, model.steps.length)
    for (const call of calls) {
      const kind = callKind[call]!
      const nth = occurrences[kind]!++
      const index = model.indexOf[kind * OCCURRENCES + (nth < OCCURRENCES ? nth : OCCURRENCES - 1)]!
      if (!(lastEnd >= callEnd[call]!)) lastEnd = callEnd[call]!
      if (index >= 0) callAt[index] = call
    }
    for (const call of calls) occurrences[callKind[call]!] = 0
    return lastEnd
  }
  const endOrStart = (model: OperationModel, index: number, start: number): number => {
    const { waitsFor, after } = model.steps[index]!
    return waitsFor === 'end' && callAt[after]! >= 0 ? callEnd[callAt[after]!]! : start
  }

  return (request, calls) => {
    const model = operations[requestKind[request]!]!
    const count = model.steps.length
    const waits = new Float64Array(3 * count + 3).fill(Number.NaN)
    if (calls.length === 0) return waits
    const lastEnd = place(model, calls)
    const start = requestStart[request]!
    for (let index = 0; index < count; index++) {
      const call = callAt[index]!
      if (call < 0) continue
      const step = model.steps[index]!
      const other = step.after >= 0 ? callAt[step.after]! : -1
      const since = other < 0 ? start : step.waitsFor === 'start' ? callStart[other]! : callEnd[other]!
      // Order counts from the event that let both go: past calls that were started side by side.
      let origin = index
      let released = since
      for (let hop = 0; hop < count && model.steps[origin]!.waitsFor === 'start'; hop++) {
        origin = model.steps[origin]!.after
        released = endOrStart(model, origin, start)
      }
      waits[3 * index] = released
      waits[3 * index + 1] = callStart[call]!
      waits[3 * index + 2] = (other < 0 ? step.sinceRequest : step.gap).normalScore(callStart[call]! - since)
    }
    const last = model.endsAfter >= 0 ? callAt[model.endsAfter]! : -1
    const since = last >= 0 ? callEnd[last]! : lastEnd
    waits[3 * count] = since
    waits[3 * count + 1] = requestEnd[request]!
    waits[3 * count + 2] = model.ending.normalScore(requestEnd[request]! - since)
    return waits
  }
}

/** True if both wait at `step` at the same time: each goes on after the other has begun to wait. */
export function waitTogether(a: Waits, b: Waits, step: number): boolean {
  const beganA = a[3 * step]!
  const beganB = b[3 * step]!
  if (Number.isNaN(beganA) || Number.isNaN(beganB)) return false
  const both = beganA > beganB ? beganA : beganB
  return a[3 * step + 1]! > both && b[3 * step + 1]! > both
}
