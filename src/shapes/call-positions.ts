import type { FieldValue } from './span-fields.js'

/**
 * Where a call stands on its connection. Of several calls of a trace on one connection the next begins where the one
 * before ended: then only what differs from that, mostly nothing, is in the row.
 */
export interface CallPositions {
  /** What is expected of a call with these values: position and ordinal; 0 for the first on its connection. */
  expected(values: readonly FieldValue[]): { readonly position: number; readonly ordinal: number }
  seen(values: readonly FieldValue[]): void
}

/** Places in FACTS. */
const REQUEST_BYTES = 4
const LOCAL_PORT = 7
const REMOTE_PORT = 9
export const POSITION = 10
export const ORDINAL = 11
const FIRST = { position: 0, ordinal: 0 }

export function createCallPositions(): CallPositions {
  const next = new Map<number, { position: number; ordinal: number }>()
  const connection = (values: readonly FieldValue[]): number =>
    (values[LOCAL_PORT] as number) * 65_536 + (values[REMOTE_PORT] as number)
  return {
    expected: values => next.get(connection(values)) ?? FIRST,
    seen: values => {
      const position = (values[POSITION] as number) + (values[REQUEST_BYTES] as number)
      // What would not be exact any more is not worth expecting.
      if (!Number.isSafeInteger(position)) return
      next.set(connection(values), { position, ordinal: (values[ORDINAL] as number) + 1 })
    },
  }
}
