/**
 * An error as a ClickHouse server words it: `Code: 164. DB::Exception: text (READONLY) (version …)`. Clients parse that
 * text, so the front must keep to it also for what it refuses by itself.
 */
export class ServerError extends Error {
  readonly code: number

  constructor(code: number, type: string, message: string) {
    super(`Code: ${code}. DB::Exception: ${message} (${type})`)
    this.code = code
  }
}

/** HTTP status by error code, as ClickHouse's own HTTP handler chooses it (src/Server/HTTPHandler.cpp). */
const STATUS = new Map([
  [6, 400],
  [26, 400],
  [27, 400],
  [36, 400],
  [46, 404],
  [47, 404],
  [48, 501],
  [53, 400],
  [60, 404],
  [62, 400],
  [69, 400],
  [81, 404],
  [89, 400],
  [115, 400],
  [117, 400],
  [159, 408],
  [164, 403],
  [192, 403],
  [194, 401],
  [373, 400],
  [394, 499],
  [456, 400],
  [457, 400],
  [497, 403],
  [516, 403],
])

/** ClickHouse's number of an error: from the error itself, from its text, else 1001 (an exception of the library). */
export function errorCode(error: unknown): number {
  if (error instanceof ServerError) return error.code
  const known = (error as { clickhouseCode?: unknown }).clickhouseCode
  if (typeof known === 'number' && known > 0) return known
  const found = /^Code:\s*(\d+)/.exec(error instanceof Error ? error.message : String(error))
  if (found !== null) return Number(found[1])
  return (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 243 : 1001
}

/** The text that goes over the wire, ended by one line feed. */
export function errorText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const text = /^Code:\s*\d+/.test(message) ? message : `Code: ${errorCode(error)}. DB::Exception: ${message}`
  return `${text.replace(/\n+$/, '')}\n`
}

export function errorStatus(code: number): number {
  return STATUS.get(code) ?? 500
}
