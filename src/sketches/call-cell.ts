import { createQuantileSketch, type QuantileSketch } from './quantile-sketch.js'

/** What is summed up of the calls of one operation or edge in one minute. */
export interface CallCell {
  readonly service: string
  readonly name: string
  readonly class: string
  calls: number
  errors: number
  durationNs: number
  longestNs: number
  requestBytes: number
  responseBytes: number
  readonly durations: QuantileSketch
}

export function createCallCell(service: string, name: string, statusClass: string): CallCell {
  return {
    ...{ service, name, class: statusClass, calls: 0, errors: 0, durationNs: 0, longestNs: 0 },
    ...{ requestBytes: 0, responseBytes: 0, durations: createQuantileSketch() },
  }
}
