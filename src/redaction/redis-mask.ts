import { latin1 } from '../protocols/latin1.js'
import type { Sender } from '../protocols/protocol.js'
import {
  type ByteMask,
  type ConnectionMasks,
  type Disguise,
  isMessageStart,
  MASKED,
  type MaskOptions,
} from './byte-mask.js'

const COUNTED = '$!='
const AGGREGATES = '*%~>|'
/** Commands whose first argument changes how the connection is read. */
const ARGUMENT_KEPT = /^(SELECT|HELLO|CLIENT)$/i
const LONGEST_LINE = 64
/** The first line of a reply, of which nothing that could be a value is kept anyway. */
const REPLY = /^(?:[$*:%~>]-?\d{1,10}\r\n|\+[A-Z]+\r\n|-[A-Z]+ )/

type State = 'type' | 'line' | 'data' | 'end' | 'inline' | 'lost'

export function createRedisMasks(options: MaskOptions): ConnectionMasks {
  return { client: new RedisMask(options, 'client'), server: new RedisMask(options, 'server') }
}

/** Types, lengths, numbers and the names of commands; arguments and values are put out of the way. */
class RedisMask implements ByteMask {
  readonly #options: MaskOptions
  readonly #sender: Sender
  readonly #disguise: Disguise
  #state: State = 'type'
  #type = ''
  #line = ''
  #left = 0
  /** Number of the argument that comes next in a command, 0 its name. */
  #argument = 0
  #command = ''

  constructor(options: MaskOptions, sender: Sender) {
    this.#options = options
    this.#sender = sender
    this.#disguise = options.newDisguise()
  }

  begin(bytes: Uint8Array, start: number, end: number): void {
    if (this.#state !== 'lost') return
    const looksLikeReply = this.#sender === 'server' && REPLY.test(latin1(bytes, start, Math.min(end, start + 24)))
    if (looksLikeReply || isMessageStart(this.#options.module, this.#sender, bytes, start, end)) this.#state = 'type'
  }

  hole(count: number): void {
    if (this.#state === 'data' && count <= this.#left) {
      this.#left -= count
      if (this.#left === 0) this.#endData()
    } else this.#state = 'lost'
  }

  next(byte: number): number {
    switch (this.#state) {
      case 'type':
        return this.#atType(byte)
      case 'line':
        return this.#inLine(byte)
      case 'data':
        return this.#inData(byte)
      case 'end':
        if (--this.#left === 0) this.#state = 'type'
        return byte
      case 'inline':
        return this.#inInline(byte)
      case 'lost':
        return MASKED
    }
  }

  #atType(byte: number): number {
    this.#type = String.fromCharCode(byte)
    this.#line = ''
    if (byte === 0x0d || byte === 0x0a) return byte
    if ('+-:_#,('.includes(this.#type) || COUNTED.includes(this.#type) || AGGREGATES.includes(this.#type)) {
      this.#state = 'line'
      return byte
    }
    if (this.#sender === 'client' && /[A-Za-z]/.test(this.#type)) {
      this.#state = 'inline'
      return byte
    }
    this.#state = 'lost'
    return MASKED
  }

  #inLine(byte: number): number {
    if (byte === 0x0a) {
      this.#endLine()
      return byte
    }
    const words = this.#line.includes(' ')
    if (this.#line.length < LONGEST_LINE) this.#line += String.fromCharCode(byte)
    // OK, QUEUED, the code of an error: capitals, and no more than the first word.
    const isText = this.#type === '+' || this.#type === '-'
    const isCapital = byte >= 0x41 && byte <= 0x5a
    return isText && byte > 0x20 && (words || !isCapital) ? MASKED : byte
  }

  #endLine(): void {
    this.#state = 'type'
    if (AGGREGATES.includes(this.#type)) this.#argument = 0
    if (!COUNTED.includes(this.#type)) return
    const length = Number(this.#line.trim())
    if (Number.isNaN(length)) this.#state = 'lost'
    else if (length >= 0) {
      this.#state = 'data'
      this.#left = length
      this.#disguise.reset()
      if (this.#argument === 0) this.#command = ''
      if (length === 0) this.#endData()
    }
  }

  #inData(byte: number): number {
    const isName = this.#sender === 'client' && this.#argument === 0
    if (isName) this.#command += String.fromCharCode(byte)
    const isKept = isName || (this.#sender === 'client' && this.#argument === 1 && ARGUMENT_KEPT.test(this.#command))
    const shown = isKept ? byte : this.#disguise.next(byte)
    if (--this.#left === 0) this.#endData()
    return shown
  }

  #endData(): void {
    this.#argument++
    this.#state = 'end'
    this.#left = 2
  }

  #inInline(byte: number): number {
    if (byte === 0x0a) this.#state = 'type'
    const isName = !this.#line.includes(' ')
    if (this.#line.length < LONGEST_LINE) this.#line += String.fromCharCode(byte)
    return isName || byte <= 0x20 ? byte : MASKED
  }
}
