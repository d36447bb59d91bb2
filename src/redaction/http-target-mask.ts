import { redactQuery } from '../protocols/http/redact-query.js'
import { latin1 } from '../protocols/latin1.js'
import { classifySegment } from '../protocols/path-segments.js'
import { type Chain, MASKED, type Pseudonyms } from './pseudonyms.js'

const SPACE = 0x20
const SLASH = 0x2f
const QUESTION = 0x3f
const HASH = 0x23
const SEMICOLON = 0x3b
const AMPERSAND = 0x26
const EQUALS = 0x3d
const STAR = 0x2a

/** Shorter ones are never taken for secrets, see path-segments.ts. */
const FEWEST_SECRET_CHARS = 20
/** `https://user:password@host:port`, as far as the path. */
const ABSOLUTE = /^([a-z][a-z0-9+.-]{0,8}:\/\/)([^/?#]*@)?([^/?#@]*)/i
const AUTHORITY = /^([^/?#@\s]*@)?([\w.\-:[\]]+)$/

const Place = { begin: 0, segment: 1, parameters: 2, key: 3, value: 4, rest: 5 } as const

/**
 * The target of a request: segments stay as far as they say nothing secret, and as far as they can be seen whole; keys
 * of the query likewise; values, user information and fragments do not. Equal ones become equal ones, whoever sends them.
 */
export class HttpTargetMask {
  readonly #chain: Chain
  #place: number = Place.begin
  /** The segment or key that is being read began in an earlier piece. */
  #open = false
  #isAuthority = false

  constructor(pseudonyms: Pseudonyms) {
    this.#chain = pseudonyms.chain('http target')
  }

  /** @param isAuthority the target of CONNECT: `host:port` */
  begin(isAuthority: boolean): void {
    this.#place = Place.begin
    this.#open = false
    this.#isAuthority = isAuthority
  }

  /** Masks up to the white space that ends the target; returns where that is, or `end`. */
  pass(bytes: Uint8Array, i: number, end: number): number {
    while (i < end && bytes[i]! > SPACE) {
      switch (this.#place) {
        case Place.begin:
          i = this.#begin(bytes, i, end)
          break
        case Place.segment:
          i = this.#segment(bytes, i, end)
          break
        case Place.key:
          i = this.#key(bytes, i, end)
          break
        case Place.value:
          i = this.#value(bytes, i, end)
          break
        default:
          i = this.#rest(bytes, i, end)
      }
    }
    return i
  }

  #begin(bytes: Uint8Array, i: number, end: number): number {
    this.#place = Place.rest
    if (bytes[i] === SLASH && !this.#isAuthority) {
      this.#beginSegment()
      return i + 1
    }
    const stop = stopOf(bytes, i, end)
    // Cut: nobody knows what it is.
    if (stop === end) return i
    if (bytes[i] === STAR && stop === i + 1) return stop
    const text = latin1(bytes, i, stop)
    const match = (this.#isAuthority ? AUTHORITY : ABSOLUTE).exec(text)
    if (match === null) return i
    const [whole, ...groups] = match
    const scheme = this.#isAuthority ? '' : (groups[0] ?? '')
    const user = (this.#isAuthority ? groups[0] : groups[1]) ?? ''
    const from = i + scheme.length
    if (user !== '') bytes.fill(MASKED, from, from + user.length - 1)
    const next = i + whole.length
    if (bytes[next] === SLASH) this.#beginSegment()
    else if (bytes[next] === QUESTION) this.#beginKey()
    else return next
    return next + 1
  }

  #beginSegment(): void {
    this.#place = Place.segment
    this.#open = false
    this.#chain.begin()
  }

  #beginKey(): void {
    this.#place = Place.key
    this.#open = false
    this.#chain.begin()
  }

  #segment(bytes: Uint8Array, i: number, end: number): number {
    let stop = i
    while (stop < end && bytes[stop]! > SPACE && bytes[stop] !== SLASH && bytes[stop] !== QUESTION) {
      if (bytes[stop] === HASH || bytes[stop] === SEMICOLON) break
      stop++
    }
    const isWhole = !this.#open && stop < end
    const isShown = isWhole && (stop - i < FEWEST_SECRET_CHARS || classifySegment(latin1(bytes, i, stop)) !== 'secret')
    if (!isShown) this.#letters(bytes, i, stop)
    this.#open = true
    if (stop === end) return end
    switch (bytes[stop]) {
      case SLASH:
        this.#beginSegment()
        return stop + 1
      case QUESTION:
        this.#beginKey()
        return stop + 1
      case SEMICOLON:
        this.#place = Place.parameters
        return stop + 1
      case HASH:
        this.#place = Place.rest
        return stop + 1
      default:
        return stop
    }
  }

  #key(bytes: Uint8Array, i: number, end: number): number {
    let stop = i
    while (stop < end && bytes[stop]! > SPACE && bytes[stop] !== EQUALS && bytes[stop] !== AMPERSAND) {
      if (bytes[stop] === HASH) break
      stop++
    }
    const isWhole = !this.#open && stop < end
    // What stands alone may be a value as well as a key.
    const isKey = isWhole && bytes[stop] === EQUALS
    const key = isKey ? latin1(bytes, i, stop) : ''
    if (!isKey || redactQuery(key) !== key) this.#letters(bytes, i, stop)
    this.#open = true
    if (stop === end || bytes[stop]! <= SPACE) return stop
    if (bytes[stop] === EQUALS) {
      this.#place = Place.value
      this.#chain.begin()
    } else if (bytes[stop] === HASH) this.#place = Place.rest
    else this.#beginKey()
    return stop + 1
  }

  #value(bytes: Uint8Array, i: number, end: number): number {
    let stop = i
    while (stop < end && bytes[stop]! > SPACE && bytes[stop] !== AMPERSAND && bytes[stop] !== HASH) stop++
    this.#letters(bytes, i, stop)
    if (stop === end || bytes[stop]! <= SPACE) return stop
    if (bytes[stop] === HASH) this.#place = Place.rest
    else this.#beginKey()
    return stop + 1
  }

  /** Parameters of a segment up to the next one; all else up to the end. */
  #rest(bytes: Uint8Array, i: number, end: number): number {
    const isParameters = this.#place === Place.parameters
    for (; i < end && bytes[i]! > SPACE; i++) {
      if (isParameters && (bytes[i] === SLASH || bytes[i] === QUESTION)) {
        if (bytes[i] === SLASH) this.#beginSegment()
        else this.#beginKey()
        return i + 1
      }
      bytes[i] = MASKED
    }
    return i
  }

  #letters(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) bytes[i] = this.#chain.letter(bytes[i]!)
  }
}

function stopOf(bytes: Uint8Array, i: number, end: number): number {
  while (i < end && bytes[i]! > SPACE) i++
  return i
}
