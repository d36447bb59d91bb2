export type CheckStatus = 'ok' | 'warn' | 'fail'

/** One requirement, by name. */
export interface Check {
  /** Stable: `kernel-btf`, `data-directory`. */
  readonly name: string
  /** warn: works without, but less; fail: `run` will not work. */
  readonly status: CheckStatus
  /** What was found. */
  readonly detail: string
  /** What to do about it; undefined when nothing is wrong. */
  readonly fix: string | undefined
}

export function ok(name: string, detail: string): Check {
  return { name, status: 'ok', detail, fix: undefined }
}

export function warn(name: string, detail: string, fix: string): Check {
  return { name, status: 'warn', detail, fix }
}

export function fail(name: string, detail: string, fix: string): Check {
  return { name, status: 'fail', detail, fix }
}
