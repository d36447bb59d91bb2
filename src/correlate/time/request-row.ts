import type { CallLinks } from './call-links.js'
import type { ServiceWindow } from './service-window.js'

/** A request and its calls, times in µs since the request's start: what models are learned from. */
export interface RequestRow {
  readonly kind: number
  readonly duration: number
  /** In order of their start. */
  readonly calls: readonly RowCall[]
}

export interface RowCall {
  readonly kind: number
  readonly start: number
  readonly end: number
}

export function rowOf(window: ServiceWindow, links: CallLinks, request: number): RequestRow {
  const origin = window.requestStart[request]!
  return {
    kind: window.requestKind[request]!,
    duration: window.requestEnd[request]! - origin,
    calls: links.callsOf[request]!.map(call => ({
      kind: window.callKind[call]!,
      start: window.callStart[call]! - origin,
      end: window.callEnd[call]! - origin,
    })),
  }
}
