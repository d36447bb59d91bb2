/**
 * Low-cardinality routes learned from the paths of one service: `/items/42` becomes `/items/{id}`. One instance for
 * each service that listens, shared by all its connections, so that client and server spans get the same name.
 */
export interface RouteTemplates {
  /** The template for a path (no query string). Bounded work and memory whatever the path. */
  template(path: string): string
  /** True for a route behind which several operations lie, told apart by the request's body. */
  bodyTells?(route: string): boolean
  /** The operation's name, if a body's first bytes, bytes[start, end), say it. Never a value of the body. */
  operationIn?(bytes: Uint8Array, start: number, end: number): string | undefined
}
