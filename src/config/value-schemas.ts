import { z } from 'zod'
import { DURATION_FORM, DURATION_PATTERN, parseDuration } from './duration.js'
import { parseSize, SIZE_FORM, SIZE_PATTERN } from './size.js'

/** Limits of a duration or a size, in the same form as the setting itself. */
interface Range {
  readonly from?: string
  readonly to?: string
}

function inRange(value: number | undefined, range: Range, parse: (text: string) => number | undefined): boolean {
  if (value === undefined) return true
  if (range.from !== undefined && value < parse(range.from)!) return false
  return range.to === undefined || value <= parse(range.to)!
}

function rangeText({ from, to }: Range): string {
  if (from !== undefined && to !== undefined) return `, from ${from} to ${to}`
  if (from !== undefined) return `, at least ${from}`
  return to === undefined ? '' : `, at most ${to}`
}

/** A duration with its unit. */
export function durationText(range: Range = {}) {
  const expected = `must be ${DURATION_FORM}${rangeText(range)}`
  return z
    .string({ error: expected })
    .regex(DURATION_PATTERN, { error: expected, abort: true })
    .refine(text => inRange(parseDuration(text), range, parseDuration), { error: expected })
    .meta({ title: `duration${rangeText(range)}` })
}

/** A size with its unit. */
export function sizeText(range: Range = {}) {
  const expected = `must be ${SIZE_FORM}${rangeText(range)}`
  return z
    .string({ error: expected })
    .regex(SIZE_PATTERN, { error: expected, abort: true })
    .refine(text => inRange(parseSize(text), range, parseSize), { error: expected })
    .meta({ title: `size${rangeText(range)}` })
}

/** A whole number within limits. */
export function wholeNumber(from: number, to: number) {
  const error = `must be a whole number from ${from} to ${to}`
  return z.int({ error }).min(from, { error }).max(to, { error })
}

/** An address to listen on: `127.0.0.1:9464`, `[::1]:9464`, `localhost:0`. */
export const listenAddress = z
  .string({ error: 'must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464' })
  .refine(text => parseListenAddress(text) !== undefined, {
    error: 'must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464',
  })
  .meta({ title: 'address:port' })

export function parseListenAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const port = Number(match[3])
  return port > 65_535 ? undefined : { host: (match[1] ?? match[2])!, port }
}

/** A URL with scheme http or https. */
export const httpUrl = z
  .string({ error: 'must be a URL that begins with http:// or https://' })
  .refine(text => /^https?:\/\/[^/\s]+/.test(text) && URL.canParse(text), {
    error: 'must be a URL that begins with http:// or https://',
  })
  .meta({ title: 'http(s) URL' })

/** A regular expression of JavaScript. */
export const regularExpression = z
  .string({ error: 'must be a regular expression' })
  .min(1, { error: 'must not be empty' })
  .refine(compiles, { error: 'must be a valid regular expression (JavaScript)' })
  .meta({ title: 'regular expression' })

function compiles(text: string): boolean {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}

/** A glob: `*` any run of characters but `/`, `**` of any characters, `?` one character. */
export const glob = z
  .string({ error: 'must be a pattern such as /usr/sbin/nginx or /opt/**' })
  .min(1, { error: 'must not be empty' })
  .meta({ title: 'glob' })

export const port = wholeNumber(1, 65_535)
