import { Expected, endsResult, PEEK, Step } from '../protocols/mysql/answer.js'
import { readGreeting } from '../protocols/mysql/handshake.js'
import { FULL, HEADER, lengthOfInteger, uint24 } from '../protocols/mysql/packets.js'
import { ANY_SEQUENCE, type MysqlTalk, Phase } from './mysql-talk.js'
import type { DirectionMask } from './protocol-mask.js'
import { MASKED, UNREAD } from './pseudonyms.js'

/** 0xff, code, `#` and five characters of SQL state. */
const ERROR_STATE = 9
const PROGRESS = 0xffff
/** Longest greeting that is looked at. */
const GREETING_LIMIT = 256
/** Payload of a packet that may stand where none is awaited without anything being wrong: EOF. */
const STRAY = 5
/** EOF, and OK without a message in its place, headers included. */
const EOF_PACKET = HEADER + 5
const OK_PACKET = HEADER + 7
/** OK, statement id, columns, parameters, filler, warnings, and whether definitions follow. */
const PREPARED = 13
/** A count of columns, and whether definitions follow. */
const LONGEST_COUNT = 10
/** `\x03def`, by which the definition of a column is recognised. */
const DEFINITION = [3, 0x64, 0x65, 0x66]

/** What the payload of a packet is. */
const Holds = { nothing: 0, greeting: 1, answer: 2, stray: 3 } as const

/** Greetings, status, counts and codes, without what rows, columns, messages and challenges say. */
export class MysqlServerMask implements DirectionMask {
  readonly #talk: MysqlTalk
  /** Beginning of the payload, as it was sent. */
  readonly #peek = new Uint8Array(GREETING_LIMIT)
  #headerAt = 0
  #length = 0
  #sequence = 0
  #at = 0
  #holds: number = Holds.nothing
  #expected = 0
  #continues = false
  #step: number = Step.more
  #understood = false
  /** The rest of the call, and no more, belongs to something that nobody waits for. */
  #adrift: boolean
  #isStart = true
  #versionEnd = 0

  constructor(talk: MysqlTalk, lost: boolean) {
    this.#talk = talk
    this.#adrift = lost
  }

  pass(bytes: Uint8Array, start: number, end: number): void {
    if (this.#adrift && !this.#talk.lost && start < end) this.#findPacket(bytes, start, end)
    this.#isStart = false
    for (let i = start; i < end; ) {
      if (this.#talk.lost) {
        this.#adrift = true
        this.#seekEnd(bytes, i, end)
        return
      }
      if (this.#adrift) {
        bytes.fill(UNREAD, i, end)
        return
      }
      if (this.#headerAt < HEADER) {
        this.#inHeader(bytes[i++]!, end - i)
        continue
      }
      bytes[i] = this.#payloadByte(bytes[i]!)
      i++
      if (this.#at === this.#length) this.#endPacket()
    }
  }

  hole(count: number): void {
    if (this.#talk.lost || this.#adrift) return
    const left = this.#length - this.#at
    if (this.#headerAt < HEADER || count > left || (this.#holds === Holds.answer && this.#at === 0)) {
      // An end that was known before the hole is known behind it.
      if (this.#headerAt === HEADER && this.#understood) this.#endPacket()
      this.#lose()
      return
    }
    this.#understand()
    this.#at += count
    if (this.#at === this.#length) this.#endPacket()
  }

  #lose(): void {
    const { pending, serverSequence } = this.#talk
    if (pending.length > 1 && serverSequence < 0 && this.#headerAt === 0) {
      // Nobody pipelines and waits: what is in the hole answered all but the last.
      pending.splice(0, pending.length - 1)
    } else if (pending.length > 0 && !this.#isStart) {
      // Of a direction of which nothing was seen yet, the first answer may be the one that is awaited.
      this.#talk.lost = true
    }
    this.#adrift = true
    this.#headerAt = 0
  }

  /** Where a call begins that answers somebody, the place is known again. */
  #findPacket(bytes: Uint8Array, start: number, end: number): void {
    const [first] = this.#talk.pending
    if (first === undefined || end - start < HEADER) return
    const sequence = bytes[start + 3]!
    const fits = uint24(bytes, start) > 0 && (bytes[start + 2] === 0 || sequence === first.answerSequence)
    if (fits && (sequence === first.answerSequence || first.answerSequence === ANY_SEQUENCE)) this.#atPacket()
    else if (uint24(bytes, start) > STRAY) this.#talk.lost = true
  }

  #atPacket(): void {
    this.#adrift = false
    this.#headerAt = 0
    this.#continues = false
  }

  /** Of an answer that could not be followed, the packet that ends it. */
  #seekEnd(bytes: Uint8Array, i: number, end: number): void {
    let kept = 0
    if (endsResult(bytes, i, end)) {
      kept = bytes[end - EOF_PACKET] === EOF_PACKET - HEADER && bytes[end - 5] === 0xfe ? EOF_PACKET : OK_PACKET
      this.#talk.lost = false
      this.#talk.ended(Step.lost)
      this.#atPacket()
    }
    bytes.fill(UNREAD, i, end - kept)
  }

  #inHeader(byte: number, here: number): void {
    if (this.#headerAt === 0) this.#length = 0
    if (this.#headerAt < 3) this.#length |= byte << (8 * this.#headerAt)
    else this.#sequence = byte
    if (++this.#headerAt < HEADER) return
    this.#at = 0
    this.#step = Step.more
    this.#understood = false
    this.#versionEnd = 0
    this.#beginPayload(here)
    if (this.#length > 0 || this.#headerAt < HEADER) return
    this.#understand()
    this.#endPacket()
  }

  #beginPayload(here: number): void {
    const talk = this.#talk
    if (this.#continues) {
      this.#continues = this.#length === FULL
      talk.serverSequence = (this.#sequence + 1) & 0xff
      this.#holds = Holds.nothing
    } else if (talk.phase === Phase.greeting && talk.pending.length === 0) this.#holds = Holds.greeting
    else if (talk.expects(this.#sequence)) {
      this.#holds = Holds.answer
      this.#expected = talk.answer.expects
    } else if (!talk.lost) {
      // Nobody waits for it: the EOF behind definitions, or the rest of an answer whose command was not seen.
      this.#holds = Holds.stray
      if (this.#length <= STRAY) return
      if (talk.pending.length > 0) talk.lost = true
      else this.#adrift = this.#length > here
    }
  }

  #payloadByte(byte: number): number {
    const at = this.#at++
    if (at < this.#peek.length) this.#peek[at] = byte
    if (this.#at === Math.min(this.#length, PEEK)) this.#understand()
    switch (this.#holds) {
      case Holds.greeting:
        return this.#inGreeting(byte, at)
      case Holds.answer:
        return this.#inAnswer(byte, at)
      case Holds.stray:
        return this.#peek[0] === 0xfe && this.#length === 5 ? byte : MASKED
      default:
        return MASKED
    }
  }

  /** Lets the answer take note of the packet, as far as it has been seen. */
  #understand(): void {
    if (this.#understood || this.#holds !== Holds.answer) return
    this.#understood = true
    const talk = this.#talk
    this.#step = talk.answer.packet(this.#peek, 0, Math.min(this.#at, PEEK), this.#length)
    talk.serverSequence = (this.#sequence + 1) & 0xff
    this.#continues = this.#length === FULL
    if (this.#step !== Step.file) return
    talk.phase = Phase.file
    talk.clientSequence = this.#sequence
  }

  #endPacket(): void {
    this.#headerAt = 0
    if (this.#holds === Holds.greeting) {
      const greeting = readGreeting(this.#peek, 0, Math.min(this.#length, GREETING_LIMIT))
      if (greeting !== undefined) this.#talk.greeted(greeting.capabilities)
    }
    if (this.#step === Step.done || this.#step === Step.error) this.#talk.ended(this.#step)
    this.#step = Step.more
    this.#understood = false
  }

  /** Version NUL, thread id: 4, challenge: 8, filler, capabilities and status: 18, challenge and plugin */
  #inGreeting(byte: number, at: number): number {
    if (this.#peek[0] !== 0x0a) return MASKED
    if (this.#versionEnd === 0) {
      if (at > 0 && byte === 0) this.#versionEnd = at
      return at < 128 ? byte : MASKED
    }
    const behind = at - this.#versionEnd
    return behind <= 4 || (behind > 12 && behind <= 31) ? byte : MASKED
  }

  #inAnswer(byte: number, at: number): number {
    const first = this.#peek[0]!
    const length = this.#length
    const expected = this.#expected
    if (expected === Expected.stream) return MASKED
    if (first === 0xff) return this.#inError(byte, at)
    if (first === 0xfe && length <= 5) return byte
    switch (expected) {
      case Expected.rows:
      case Expected.afterColumns:
        return first === 0xfe && length < FULL ? this.#inOk(byte, at) : MASKED
      case Expected.first:
        if (first === 0 || (first === 0xfe && length < 9)) return this.#inOk(byte, at)
        if (first === 0xfb) return at === 0 ? byte : MASKED
        return length <= LONGEST_COUNT && at <= lengthOfInteger(first) ? byte : MASKED
      case Expected.columns:
      case Expected.definitions:
      case Expected.afterDefinitions:
        return at < DEFINITION.length && byte === DEFINITION[at] ? byte : MASKED
      case Expected.prepared:
        return first === 0 && at < PREPARED ? byte : MASKED
      case Expected.authentication:
        if (first === 0) return this.#inOk(byte, at)
        return at === 0 && (first === 0xfe || first === 1) ? byte : MASKED
      default:
        return first === 0 ? this.#inOk(byte, at) : MASKED
    }
  }

  #inError(byte: number, at: number): number {
    if (at < 3) return byte
    const isProgress = (this.#peek[1]! | (this.#peek[2]! << 8)) === PROGRESS
    return !isProgress && at < ERROR_STATE && this.#peek[3] === 0x23 ? byte : MASKED
  }

  /** Status and warnings; of affected rows and the last id only how long they are. */
  #inOk(byte: number, at: number): number {
    if (at === 0) return byte
    const affectedEnd = 1 + lengthOfInteger(this.#peek[1]!)
    if (at < affectedEnd) return maskedInteger(byte, at === 1)
    const idEnd = affectedEnd + lengthOfInteger(this.#peek[affectedEnd]!)
    if (at < idEnd) return maskedInteger(byte, at === affectedEnd)
    return at < idEnd + 4 ? byte : MASKED
  }
}

function maskedInteger(byte: number, isFirst: boolean): number {
  if (!isFirst) return 0
  return byte < 0xfb ? 0 : byte
}
