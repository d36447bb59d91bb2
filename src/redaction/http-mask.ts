import type { Sender } from '../protocols/protocol.js'
import { type ByteMask, type ConnectionMasks, isMessageStart, MASKED, type MaskOptions } from './byte-mask.js'

/** Headers whose values say nothing of people or secrets, and those that frame the message. */
const KEPT_HEADERS = new Set(
  `accept accept-encoding connection content-encoding content-length content-type date expect host keep-alive server te
  traceparent transfer-encoding upgrade user-agent vary via x-request-id x-openstack-request-id x-compute-request-id`.split(
    /\s+/,
  ),
)
/** `0`, and two line ends. */
const LAST_CHUNK_LENGTH = 5
const LONGEST_NAME = 64
const LONGEST_LINE = 512

type State = 'start' | 'name' | 'value' | 'body' | 'size' | 'chunk' | 'chunkEnd' | 'rest'

export function createHttpMasks(options: MaskOptions): ConnectionMasks {
  return { client: new HttpMask(options, 'client'), server: new HttpMask(options, 'server') }
}

/** Start lines without query values, kept headers, framing; bodies are put out of the way. */
class HttpMask implements ByteMask {
  readonly #options: MaskOptions
  readonly #sender: Sender
  #state: State = 'start'
  #line = ''
  #keep = false
  #inQuery = false
  #inQueryValue = false
  #left = 0
  #trailer = false
  #startLine = ''
  #contentLength = -1
  #chunked = false

  constructor(options: MaskOptions, sender: Sender) {
    this.#options = options
    this.#sender = sender
  }

  begin(bytes: Uint8Array, start: number, end: number): void {
    const inHead = this.#state === 'name' || this.#state === 'value' || (this.#state === 'start' && this.#line !== '')
    // Inside a body nothing counts as a start: it may look like one. Before its first byte it may turn out that there is
    // none (an answer to HEAD, a request that was refused with 417).
    const inBody = this.#state === 'chunk' || this.#state === 'chunkEnd' || this.#state === 'size'
    const begunBody = this.#state === 'body' && this.#left < this.#contentLength
    if (inHead || inBody || begunBody || start === end) return
    if (isMessageStart(this.#options.module, this.#sender, bytes, start, end)) this.#toStart()
    else if (this.#state === 'start') this.#state = 'rest'
  }

  hole(count: number): void {
    for (let rest = count; rest > 0; ) {
      if (this.#state === 'body' || this.#state === 'chunk' || this.#state === 'chunkEnd') {
        const passed = Math.min(rest, this.#left)
        rest -= passed
        this.#left -= passed
        if (this.#left === 0) this.#afterStretch()
      } else {
        // A hole that is just as long as the last chunk can hardly be anything else.
        const isLastChunk = this.#state === 'size' && this.#line.length + rest === LAST_CHUNK_LENGTH
        if (isLastChunk) this.#toStart()
        else this.#state = 'rest'
        return
      }
    }
  }

  next(byte: number): number {
    switch (this.#state) {
      case 'start':
        return this.#inStartLine(byte)
      case 'name':
        return this.#inName(byte)
      case 'value':
        return this.#inValue(byte)
      case 'size':
        return this.#inSize(byte)
      case 'chunkEnd':
        if (--this.#left === 0) this.#afterStretch()
        return byte
      case 'body':
      case 'chunk':
        if (--this.#left === 0) this.#afterStretch()
        return MASKED
      case 'rest':
        return MASKED
    }
  }

  #toStart(): void {
    this.#state = 'start'
    this.#line = ''
    this.#inQuery = false
    this.#inQueryValue = false
    this.#contentLength = -1
    this.#chunked = false
    this.#trailer = false
  }

  #inStartLine(byte: number): number {
    if (byte === 0x0a) {
      this.#startLine = this.#line
      this.#toName()
      return byte
    }
    if (this.#line.length < LONGEST_LINE) this.#line += String.fromCharCode(byte)
    if (this.#sender === 'server') return byte
    if (byte === 0x20) this.#inQuery = this.#inQueryValue = false
    else if (byte === 0x3f) this.#inQuery = true
    else if (this.#inQuery && byte === 0x26) this.#inQueryValue = false
    else if (this.#inQuery && byte === 0x3d) {
      const begins = !this.#inQueryValue
      this.#inQueryValue = true
      if (begins) return byte
    }
    return this.#inQueryValue && byte > 0x20 ? MASKED : byte
  }

  #toName(): void {
    this.#state = 'name'
    this.#line = ''
  }

  #inName(byte: number): number {
    if (byte === 0x0a) {
      if (this.#line === '' || this.#line === '\r') this.#endHead()
      else this.#toName()
      return byte
    }
    if (byte === 0x3a) {
      const name = this.#line.toLowerCase()
      this.#keep = KEPT_HEADERS.has(name)
      this.#state = 'value'
      this.#line = `${name}:`
      return byte
    }
    this.#line += this.#line.length < LONGEST_LINE ? String.fromCharCode(byte) : ''
    // A folded line, or what only looks like a name.
    const folded = this.#line.startsWith(' ') || this.#line.startsWith('\t')
    return (folded || this.#line.length > LONGEST_NAME) && byte > 0x20 ? MASKED : byte
  }

  #inValue(byte: number): number {
    if (byte === 0x0a) {
      const [name, value] = this.#line.split(':', 2) as [string, string]
      if (name === 'content-length') this.#contentLength = Number(value.trim())
      if (name === 'transfer-encoding' && /chunked\s*$/i.test(value)) this.#chunked = true
      this.#toName()
      return byte
    }
    if (this.#keep && this.#line.length < LONGEST_LINE) this.#line += String.fromCharCode(byte)
    return this.#keep || byte <= 0x20 ? byte : MASKED
  }

  #endHead(): void {
    const status = this.#sender === 'server' ? Number(/^HTTP\/1\.\d (\d{3})/.exec(this.#startLine)?.[1]) : 0
    if (this.#trailer) this.#toStart()
    else if (status === 101) this.#state = 'rest'
    else if ((status >= 100 && status < 200) || status === 204 || status === 304) this.#toStart()
    else if (this.#chunked) this.#toSize()
    else if (this.#contentLength > 0) {
      this.#state = 'body'
      this.#left = this.#contentLength
    } else if (this.#contentLength === 0 || this.#sender === 'client') this.#toStart()
    else this.#state = 'rest'
  }

  #toSize(): void {
    this.#state = 'size'
    this.#line = ''
  }

  #inSize(byte: number): number {
    if (byte === 0x0a) {
      const size = Number.parseInt(this.#line, 16)
      if (Number.isNaN(size)) this.#state = 'rest'
      else if (size === 0) {
        this.#trailer = true
        this.#toName()
      } else {
        this.#state = 'chunk'
        this.#left = size
      }
      return byte
    }
    if (this.#line.length < LONGEST_LINE) this.#line += String.fromCharCode(byte)
    return this.#line.includes(';') && byte > 0x20 && byte !== 0x3b ? MASKED : byte
  }

  #afterStretch(): void {
    if (this.#state === 'body') this.#toStart()
    else if (this.#state === 'chunkEnd') this.#toSize()
    else {
      this.#state = 'chunkEnd'
      this.#left = 2
    }
  }
}
