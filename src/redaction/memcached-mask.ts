import type { Sender } from '../protocols/protocol.js'
import {
  type ByteMask,
  type ConnectionMasks,
  type Disguise,
  isMessageStart,
  MASKED,
  type MaskOptions,
} from './byte-mask.js'

/** Where the line says how many bytes of data follow it: number of the word, from 0. */
const LENGTH_AT: Readonly<Record<Sender, Readonly<Record<string, number>>>> = {
  client: { set: 4, add: 4, replace: 4, append: 4, prepend: 4, cas: 4, ms: 2 },
  server: { VALUE: 3, VA: 1 },
}
/** Lines whose every word but the first is a key. */
const ALL_KEYS = new Set(['get', 'gets', 'gat', 'gats'])
/** Lines that hold no key at all. */
const NO_KEYS = new Set(
  'version verbosity flush_all mn noop quit stats STORED END DELETED TOUCHED NOT_STORED EXISTS NOT_FOUND OK HD EN NF NS EX MN VERSION ERROR'.split(
    ' ',
  ),
)
const LONGEST_WORD = 512

type State = 'line' | 'data' | 'end' | 'lost'

export function createMemcachedMasks(options: MaskOptions): ConnectionMasks {
  return { client: new MemcachedMask(options, 'client'), server: new MemcachedMask(options, 'server') }
}

/** Commands, flags and lengths; keys and values are put out of the way. */
class MemcachedMask implements ByteMask {
  readonly #options: MaskOptions
  readonly #sender: Sender
  readonly #disguise: Disguise
  #state: State = 'line'
  #words: string[] = ['']
  #left = 0

  constructor(options: MaskOptions, sender: Sender) {
    this.#options = options
    this.#sender = sender
    this.#disguise = options.newDisguise()
  }

  begin(bytes: Uint8Array, start: number, end: number): void {
    if (this.#state !== 'lost' || !isMessageStart(this.#options.module, this.#sender, bytes, start, end)) return
    this.#toLine()
  }

  hole(count: number): void {
    if (this.#state === 'data' && count <= this.#left) {
      this.#left -= count
      if (this.#left === 0) this.#toEnd()
    } else this.#state = 'lost'
  }

  next(byte: number): number {
    if (this.#state === 'line') return this.#inLine(byte)
    if (this.#state === 'lost') return MASKED
    const isData = this.#state === 'data'
    if (--this.#left === 0) {
      if (isData) this.#toEnd()
      else this.#toLine()
    }
    return isData ? MASKED : byte
  }

  #toLine(): void {
    this.#state = 'line'
    this.#words = ['']
  }

  #toEnd(): void {
    this.#state = 'end'
    this.#left = 2
  }

  #inLine(byte: number): number {
    if (byte === 0x0a) {
      this.#endLine()
      return byte
    }
    if (byte === 0x20) {
      if (this.#words.length < 16 && this.#words.at(-1) !== '') this.#words.push('')
      this.#disguise.reset()
      return byte
    }
    if (byte < 0x20) return byte
    const last = this.#words.length - 1
    if (this.#words[last]!.length < LONGEST_WORD) this.#words[last] += String.fromCharCode(byte)
    return last === 0 || !this.#isKey(last) ? byte : this.#disguise.next(byte)
  }

  #isKey(index: number): boolean {
    const first = this.#words[0]!
    if (NO_KEYS.has(first)) return false
    if (ALL_KEYS.has(first)) return true
    // Errors and statistics tell in words; everywhere else the key comes first, numbers and flags follow.
    if (/^(SERVER_ERROR|CLIENT_ERROR|STAT)$/.test(first)) return true
    return this.#sender === 'client' || first === 'VALUE' ? index === 1 : /^[kO]/.test(this.#words[index]!)
  }

  #endLine(): void {
    const at = LENGTH_AT[this.#sender][this.#words[0]!]
    const length = at === undefined ? Number.NaN : Number(this.#words[at])
    this.#toLine()
    if (Number.isNaN(length)) return
    this.#left = length
    this.#state = 'data'
    if (length === 0) this.#toEnd()
  }
}
