import { endsResult } from '../protocols/mysql/answer.js'
import type { Sender } from '../protocols/protocol.js'
import { type ByteMask, type ConnectionMasks, MASKED, type MaskOptions } from './byte-mask.js'
import { SqlLiterals } from './sql-literals.js'

const HEADER = 4
/** EOF, and OK without a message in its place, headers included. */
const EOF_PACKET = HEADER + 5
const OK_PACKET = HEADER + 7
const Command = { initDb: 0x02, query: 0x03, stmtPrepare: 0x16, stmtExecute: 0x17 } as const
/** Of other commands: the code and a statement's number. */
const KEPT_OF_COMMAND = 5
const KEPT_OF_EXECUTE = 10
/** Client flags, largest packet, character set, filler: what precedes the user's name in a login. */
const LOGIN_FIXED = 32
const KEPT_OF_ERROR = 9
const KEPT_OF_OK = 12

/** What the next packets of the server are, so far as it matters. */
interface Shared {
  /** Definitions of columns and parameters that are still to come; their names are kept. */
  definitions: number
  /** Between the greeting and the end of the login. */
  login: boolean
}

export function createMysqlMasks(_options: MaskOptions): ConnectionMasks {
  const shared: Shared = { definitions: 0, login: false }
  return { client: new MysqlMask('client', shared), server: new MysqlMask('server', shared) }
}

/**
 * Packet headers, commands, statements without literals, definitions of columns; what authenticates, parameters, rows and
 * texts of errors are put out of the way.
 */
class MysqlMask implements ByteMask {
  readonly #sender: Sender
  readonly #shared: Shared
  readonly #sql = new SqlLiterals()
  #lost = false
  /** While the place is lost: so many bytes more are put out of the way, then so many are kept. */
  #maskedBefore = 0
  #keptAtEnd = 0
  #headerAt = 0
  #length = 0
  #sequence = 0
  /** Place in the payload. */
  #at = 0
  #first = 0
  /** Bytes of the payload that are kept as they are; then `#keepRest` says how it goes on. */
  #keep = 0
  #rest: 'mask' | 'sql' | 'attributes' | 'login' = 'mask'
  #loginField: 'user' | 'length' | 'secret' | 'database' | 'more' = 'user'
  #secretLeft = 0
  #count = 0

  constructor(sender: Sender, shared: Shared) {
    this.#sender = sender
    this.#shared = shared
  }

  begin(bytes: Uint8Array, start: number, end: number, length: number): void {
    if (!this.#lost || end - start < HEADER) return
    if (end - start === length) this.tail(bytes, start, end)
    const size = bytes[start]! | (bytes[start + 1]! << 8) | (bytes[start + 2]! << 16)
    const fits = this.#sender === 'client' ? size + HEADER === length && bytes[start + 3] === 0 : bytes[start + 3] === 1
    if (!fits || size === 0 || size + HEADER > length) return
    this.#lost = false
    this.#headerAt = 0
    this.#maskedBefore = 0
    this.#keptAtEnd = 0
    this.#shared.definitions = 0
  }

  /** Of rows whose place is lost, the packet that ends them may still be told by what it looks like. */
  tail(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#lost || this.#sender === 'client' || !endsResult(bytes, start, end)) return
    this.#keptAtEnd = bytes[end - EOF_PACKET] === EOF_PACKET - HEADER ? EOF_PACKET : OK_PACKET
    this.#maskedBefore = end - start - this.#keptAtEnd
  }

  hole(count: number): void {
    if (this.#lost) return
    const left = this.#length - this.#at
    if (this.#headerAt === HEADER && count <= left) {
      this.#at += count
      if (this.#at === this.#length) this.#headerAt = 0
    } else this.#lost = true
  }

  next(byte: number): number {
    if (this.#lost) return this.#inLost(byte)
    if (this.#headerAt < HEADER) return this.#inHeader(byte)
    const at = this.#at++
    if (at === 0) this.#open(byte)
    const shown = this.#shown(byte, at)
    if (this.#at === this.#length) this.#headerAt = 0
    return shown
  }

  #inLost(byte: number): number {
    if (this.#keptAtEnd === 0) return MASKED
    if (this.#maskedBefore > 0) {
      this.#maskedBefore--
      return MASKED
    }
    this.#keptAtEnd--
    return byte
  }

  #inHeader(byte: number): number {
    if (this.#headerAt === 0) this.#length = 0
    if (this.#headerAt < 3) this.#length |= byte << (8 * this.#headerAt)
    else this.#sequence = byte
    this.#headerAt++
    this.#at = 0
    if (this.#headerAt === HEADER && this.#length === 0) this.#headerAt = 0
    return byte
  }

  /** The payload's first byte is here: how is the rest to be treated? */
  #open(first: number): void {
    this.#first = first
    this.#rest = 'mask'
    this.#keep = 0
    if (this.#sender === 'client') this.#openCommand(first)
    else this.#openAnswer(first)
  }

  #openCommand(first: number): void {
    if (this.#sequence !== 0) {
      // A login is the client's first packet; what else is not a command authenticates, or is a file's content.
      if (this.#sequence === 1 && this.#shared.login && this.#length >= LOGIN_FIXED) {
        this.#keep = LOGIN_FIXED
        this.#rest = 'login'
        this.#loginField = 'user'
      }
      return
    }
    this.#shared.login = false
    this.#shared.definitions = 0
    if (first === Command.query || first === Command.stmtPrepare) {
      this.#keep = 1
      this.#rest = first === Command.query ? 'attributes' : 'sql'
      this.#sql.reset()
    } else if (first === Command.initDb) this.#keep = this.#length
    else this.#keep = first === Command.stmtExecute ? KEPT_OF_EXECUTE : KEPT_OF_COMMAND
  }

  #openAnswer(first: number): void {
    const { sequence, length, shared } = { sequence: this.#sequence, length: this.#length, shared: this.#shared }
    if (sequence === 0 && first === 0x0a) {
      // The greeting: version, capabilities, and a challenge that is used once.
      shared.login = true
      this.#keep = length
    } else if (first === 0xff) this.#keep = KEPT_OF_ERROR
    else if (first === 0xfe && length < KEPT_OF_ERROR) this.#keep = length
    else if (shared.login) this.#keep = first === 0 ? KEPT_OF_OK : 1
    else if (sequence === 1) {
      this.#keep = first === 0 ? KEPT_OF_OK : KEPT_OF_ERROR
      shared.definitions = first === 0 || first >= 0xfb ? 0 : first
      this.#count = 0
    } else if (shared.definitions > 0 && first === 3) {
      shared.definitions--
      this.#keep = length
    } else this.#keep = 1
  }

  #shown(byte: number, at: number): number {
    this.#countDefinitions(byte, at)
    if (at < this.#keep) return byte
    switch (this.#rest) {
      case 'sql':
        return this.#sql.next(byte)
      case 'attributes':
        return this.#inAttributes(byte, at)
      case 'login':
        return this.#inLogin(byte)
      case 'mask':
        return MASKED
    }
  }

  /** The answer to a prepare says how many definitions follow: columns at 5, parameters at 7. */
  #countDefinitions(byte: number, at: number): void {
    if (this.#sender !== 'server' || this.#sequence !== 1 || this.#first !== 0 || this.#length !== KEPT_OF_OK) return
    if (at >= 5 && at <= 8) this.#count += byte << (at % 2 === 1 ? 0 : 8)
    if (at === 8) this.#shared.definitions = this.#count
  }

  /** MySQL 8 puts attributes before the statement: their number, 0 mostly, and 1. With values, nothing can be kept. */
  #inAttributes(byte: number, at: number): number {
    if (at === 1) {
      const isText = byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
      this.#rest = isText ? 'sql' : byte === 0 ? 'attributes' : 'mask'
      return isText ? this.#sql.next(byte) : byte
    }
    this.#rest = 'sql'
    return byte === 1 ? byte : this.#sql.next(byte)
  }

  #inLogin(byte: number): number {
    switch (this.#loginField) {
      case 'user':
        if (byte === 0) this.#loginField = 'length'
        return byte === 0 ? byte : MASKED
      case 'length':
        this.#secretLeft = byte
        this.#loginField = byte === 0 ? 'database' : 'secret'
        return byte
      case 'secret':
        if (--this.#secretLeft === 0) this.#loginField = 'database'
        return MASKED
      case 'database':
        if (byte === 0) this.#loginField = 'more'
        return byte
      case 'more':
        return MASKED
    }
  }
}
