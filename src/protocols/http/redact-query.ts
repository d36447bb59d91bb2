import { classifySegment, REDACTED } from '../path-segments.js'

const LONGEST_QUERY = 512
const LONGEST_KEY = 40
/** What has no value may itself be one, such as a token: only a plain word is shown. */
const LONE_WORD = /^[a-z_-]{1,20}$/
const PLAIN_KEY = /^[A-Za-z_.$[\]%-][\w.$[\]%-]*$/

/** A query string with its keys, and `REDACTED` for every value and for whatever does not look like a key. */
export function redactQuery(query: string): string {
  if (query === '') return query
  let result = ''
  for (let start = 0; start <= query.length && result.length < LONGEST_QUERY; ) {
    const ampersand = query.indexOf('&', start)
    const end = ampersand === -1 ? query.length : ampersand
    const equals = query.indexOf('=', start)
    const keyEnd = equals !== -1 && equals < end ? equals : end
    const key = query.slice(start, keyEnd)
    if (start > 0) result += '&'
    if (key !== '') result += (keyEnd < end ? isPlainKey(key) : LONE_WORD.test(key)) ? key : REDACTED
    if (keyEnd < end) result += `=${REDACTED}`
    start = end + 1
  }
  return result
}

const isPlainKey = (key: string): boolean =>
  key.length <= LONGEST_KEY && PLAIN_KEY.test(key) && classifySegment(key) === 'word'
