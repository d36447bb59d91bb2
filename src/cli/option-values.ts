import { InvalidArgumentError } from 'commander'
import { DURATION_FORM, parseDuration } from '../config/duration.js'

/** Values of options as commander wants them parsed: what does not fit is a usage error that says what would. */
export function durationOption(text: string): number {
  const millis = parseDuration(text)
  if (millis === undefined) throw new InvalidArgumentError(`It must be ${DURATION_FORM}.`)
  return millis
}

export function countOption(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 to 999999.')
  return Number(text)
}

/**
 * A moment: `15m` (ago), `2030-01-31`, `2030-01-31T14:02` (local time), or with a zone as in RFC 3339. In ns since 1970.
 */
export function momentOption(text: string, now: () => number = Date.now): bigint {
  const ago = parseDuration(text)
  if (ago !== undefined) return BigInt(now() - ago) * 1_000_000n
  const local = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text
  const millis = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(local) ? Date.parse(local.replace(' ', 'T')) : Number.NaN
  if (Number.isNaN(millis)) {
    throw new InvalidArgumentError('It must be a time such as 2030-01-31T14:02, or how long ago: 15m, 2h, 7d.')
  }
  return BigInt(millis) * 1_000_000n
}

/** A duration in nanoseconds. */
export function durationNanosOption(text: string): number {
  return durationOption(text) * 1e6
}
