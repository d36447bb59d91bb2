import { latin1 } from '../latin1.js'
import { type HeaderField, HeaderTable } from './header-table.js'
import { decodeHuffman } from './huffman.js'
import { STATIC_TABLE } from './static-table.js'

/** complete: to the end. cut: as far as the bytes go. malformed: the rest makes no sense. */
export type HeaderBlockState = 'complete' | 'cut' | 'malformed'

export interface HeaderReceiver {
  /** A field whose name is known. `value` is undefined where it is not known, or not kept. */
  header(name: string, value: string | undefined): void
  /** A field whose name stands in a part of the table that was never seen. */
  unknown(): void
}

export interface HeaderDecoderOptions {
  /** False: the sender's table may hold entries that were never seen. */
  readonly fresh: boolean
  /** Names whose values are kept; others are decoded for their length only. Default: all. */
  readonly keeps?: (name: string) => boolean
}

const STATIC: readonly HeaderField[] = STATIC_TABLE.map(([name, value]) => ({ name, value }))
const UNKNOWN: HeaderField = { name: undefined, value: undefined }
const LARGEST_INTEGER = 0x0fff_ffff

/** Of all decoders: what it holds does not outlive one text. */
let scratch = new Uint8Array(4096)

/** Decodes the header blocks of one direction of a connection (RFC 7541). */
export class HeaderDecoder {
  readonly #table: HeaderTable
  readonly #keeps: (name: string) => boolean
  #bytes: Uint8Array = scratch
  #at = 0
  #end = 0
  /** Of the text read last: its bytes, and how many they are. */
  #text: Uint8Array = scratch
  #textStart = 0
  #textLength = 0

  constructor({ fresh, keeps = () => true }: HeaderDecoderOptions) {
    this.#table = new HeaderTable(fresh)
    this.#keeps = keeps
  }

  /** Every entry that a block can refer to is known. */
  get complete(): boolean {
    return this.#table.complete
  }

  /** What the table counts now (RFC 7541, 4.1). */
  get tableSize(): number {
    return this.#table.size
  }

  /** A block was not seen, or not to its end: what it put into the table is not known. */
  lose(): void {
    this.#table.lose()
  }

  /**
   * Reads one block, bytes[start, end). After anything but 'complete' the caller knows best whether the block goes on
   * unseen; the table is given up in both cases.
   */
  decode(bytes: Uint8Array, start: number, end: number, receiver: HeaderReceiver): HeaderBlockState {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    let state: HeaderBlockState = 'complete'
    while (this.#at < end && state === 'complete') state = this.#field(receiver)
    this.#bytes = scratch
    if (state !== 'complete') this.#table.lose()
    return state
  }

  #field(receiver: HeaderReceiver): HeaderBlockState {
    const first = this.#bytes[this.#at]!
    if ((first & 0x80) !== 0) {
      const index = this.#integer(7)
      if (index <= 0) return index === INCOMPLETE ? 'cut' : 'malformed'
      const field = this.#lookUp(index)
      if (field === undefined) return 'malformed'
      if (field.name === undefined) receiver.unknown()
      else receiver.header(field.name, field.value)
      return 'complete'
    }
    if ((first & 0xe0) === 0x20) {
      const size = this.#integer(5)
      if (size < 0) return size === INCOMPLETE ? 'cut' : 'malformed'
      this.#table.resize(size)
      return 'complete'
    }
    return this.#literal((first & 0xc0) === 0x40, receiver)
  }

  #literal(indexed: boolean, receiver: HeaderReceiver): HeaderBlockState {
    const index = this.#integer(indexed ? 6 : 4)
    if (index < 0) return index === INCOMPLETE ? 'cut' : 'malformed'
    let name: string | undefined
    let nameLength = 0
    if (index > 0) {
      const field = this.#lookUp(index)
      if (field === undefined) return 'malformed'
      name = field.name
      nameLength = name?.length ?? 0
    } else {
      const state = this.#readText()
      if (state !== 'complete') return state
      name = latin1(this.#text, this.#textStart, this.#textStart + this.#textLength)
      nameLength = this.#textLength
    }
    const state = this.#readText()
    if (state !== 'complete') return state
    const kept = name !== undefined && this.#keeps(name)
    const value = kept ? latin1(this.#text, this.#textStart, this.#textStart + this.#textLength) : undefined
    if (indexed) this.#table.add({ name, value }, nameLength + this.#textLength)
    if (name === undefined) receiver.unknown()
    else receiver.header(name, value)
    return 'complete'
  }

  /** undefined: the sender refers to something that cannot be there. */
  #lookUp(index: number): HeaderField | undefined {
    if (index <= STATIC.length) return STATIC[index - 1]
    return this.#table.at(index - STATIC.length - 1) ?? (this.#table.complete ? undefined : UNKNOWN)
  }

  /** RFC 7541, 5.1. */
  #integer(prefixBits: number): number {
    const most = (1 << prefixBits) - 1
    let value = this.#bytes[this.#at++]! & most
    if (value < most) return value
    for (let shift = 0; shift <= 28; shift += 7) {
      if (this.#at >= this.#end) return INCOMPLETE
      const byte = this.#bytes[this.#at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (value > LARGEST_INTEGER) return TOO_LARGE
      if ((byte & 0x80) === 0) return value
    }
    return TOO_LARGE
  }

  /** RFC 7541, 5.2. */
  #readText(): HeaderBlockState {
    if (this.#at >= this.#end) return 'cut'
    const coded = (this.#bytes[this.#at]! & 0x80) !== 0
    const length = this.#integer(7)
    if (length < 0) return length === INCOMPLETE ? 'cut' : 'malformed'
    const start = this.#at
    if (start + length > this.#end) return 'cut'
    this.#at = start + length
    if (!coded) {
      this.#text = this.#bytes
      this.#textStart = start
      this.#textLength = length
      return 'complete'
    }
    const most = Math.ceil((length * 8) / 5)
    if (scratch.length < most) scratch = new Uint8Array(most * 2)
    const decoded = decodeHuffman(this.#bytes, start, this.#at, scratch)
    if (decoded < 0) return 'malformed'
    this.#text = scratch
    this.#textStart = 0
    this.#textLength = decoded
    return 'complete'
  }
}

const INCOMPLETE = -1
const TOO_LARGE = -2
