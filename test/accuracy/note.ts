/**
 * What the load and the backend note of each request that they sent or received: the ground truth. A service that is
 * judged is asked for `/m/<marker>` and asks the backend for `/m/<marker>/<number of the call>` with the marker of the
 * request it works for (`B…` when it works for none), so both ends of a call know whose it is. No evidence that is
 * judged reads targets.
 */
export interface Note {
  readonly marker: string
  /** Ports of the end that sent the request, and of the one that received it. */
  readonly from: number
  readonly to: number
  /** Bytes that had gone on the connection, in the request's direction, before its first byte. */
  readonly position: number
  /** Milliseconds since 1970. */
  readonly at: number
}

/** `/m/R12/3` → `R12`. */
export function markerOf(target: string): string {
  return target.split(/[/?]/)[2] ?? ''
}

/** Calls that a service makes for no request have markers of their own. */
export function isBackground(marker: string): boolean {
  return marker.startsWith('B')
}
