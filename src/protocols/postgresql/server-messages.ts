import { Attribute } from '../attribute-names.js'
import type { InputStream } from '../input-stream.js'
import { latin1 } from '../latin1.js'
import { POSTGRESQL, POSTGRESQL_BACKSLASH_ESCAPES } from '../sql/dialect.js'
import { type Dialogue, Step } from './dialogue.js'
import { BACKEND, Backend, fits, HEADER, uint32, untilNul } from './messages.js'

/** ReadyForQuery. */
const READY = 6
/** Bytes of an error, a notice or a setting that are waited for. */
const TEXT_LOOK = 4096

const LOOK = new Uint16Array(256).fill(HEADER)
LOOK[Backend.ready] = READY
LOOK[Backend.commandComplete] = HEADER + 64
LOOK[Backend.parameterStatus] = HEADER + 128
LOOK[Backend.error] = TEXT_LOOK

const CONFORMING = 'standard_conforming_strings'

/** What the server says: how far the answers have come. */
export class ServerMessages {
  readonly #dialogue: Dialogue
  #synced: boolean
  /** Where the message begins that is passed, and its type; 0: none is. */
  #owedType = 0
  #owedAt = 0

  constructor(dialogue: Dialogue, joined: boolean) {
    this.#dialogue = dialogue
    this.#synced = !joined
  }

  read(stream: InputStream): void {
    const dialogue = this.#dialogue
    if (stream.skipping) return
    if (this.#owedType !== 0) this.#passed(stream)
    while (!dialogue.failed && !stream.skipping) {
      if (dialogue.lost) {
        this.#seekEnd(stream)
        if (dialogue.lost || stream.available === 0) return
      }
      if (!this.#message(stream)) return
    }
  }

  #message(stream: InputStream): boolean {
    const dialogue = this.#dialogue
    const { bytes, start, available } = stream
    if (!this.#synced && dialogue.idle) {
      // The rest of an answer whose beginning was not seen.
      stream.resume()
      return false
    }
    if (dialogue.step === Step.encryption && available > 0 && bytes[start] !== Backend.error) {
      return this.#encryption(stream)
    }
    if (available < HEADER) return stream.hole > 0 ? this.#lose(stream) : false
    const type = bytes[start]!
    const length = uint32(bytes, start + 1)
    if (!fits(BACKEND, type, length)) return this.#lose(stream)
    const total = 1 + length
    const looked = Math.min(total, LOOK[type]!)
    if (available < looked && stream.hole === 0 && !stream.ended) return false
    this.#synced = true
    if (type === Backend.dataRow || type === Backend.copyData) this.#row(stream, type, total)
    else this.#handle(stream, type, start + HEADER, Math.min(stream.end, start + looked), total)
    return true
  }

  /** Rows that are here whole are passed without a look at the rest. */
  #row(stream: InputStream, type: number, total: number): void {
    this.#dialogue.answering(stream.position)
    const { bytes, start, end } = stream
    let i = start + total
    while (i + HEADER <= end && bytes[i] === type) {
      const next = i + 1 + uint32(bytes, i + 1)
      if (next > end || next < i + HEADER) break
      i = next
    }
    stream.skip(i - start)
  }

  #encryption(stream: InputStream): boolean {
    const dialogue = this.#dialogue
    const answer = stream.bytes[stream.start]
    const at = stream.position
    stream.consume(1)
    dialogue.answering(at)
    dialogue.done(Step.encryption, at, at + 1)
    if (answer === 0x53) dialogue.giveUp('tls')
    else if (answer === 0x47) dialogue.giveUp('gss')
    return true
  }

  #handle(stream: InputStream, type: number, from: number, end: number, total: number): void {
    const dialogue = this.#dialogue
    const at = stream.position
    switch (type) {
      case Backend.error: {
        const moved = at + Math.min(total, stream.available + stream.hole)
        dialogue.error(sqlStateOf(stream.bytes, from, end), at, moved)
        break
      }
      case Backend.parameterStatus:
        this.#setting(stream.bytes, from, end)
        break
      case Backend.commandComplete:
        this.#rows(stream.bytes, from, end, at)
        break
      case Backend.notice:
      case Backend.notification:
        break
      case Backend.ready:
      case Backend.parseComplete:
      case Backend.bindComplete:
      case Backend.closeComplete:
        break
      default:
        dialogue.answering(at)
    }
    this.#owedType = type
    this.#owedAt = at
    stream.skip(total)
    if (!stream.skipping) this.#passed(stream)
  }

  /** The message that was looked at has come to its end. */
  #passed(stream: InputStream): void {
    const dialogue = this.#dialogue
    const type = this.#owedType
    const at = this.#owedAt
    const next = stream.position
    this.#owedType = 0
    switch (type) {
      case Backend.parseComplete:
        dialogue.done(Step.parse, at, next)
        return
      case Backend.bindComplete:
        dialogue.done(Step.bind, at, next)
        return
      case Backend.closeComplete:
        dialogue.done(Step.close, at, next)
        return
      case Backend.rowDescription:
      case Backend.noData:
        if (dialogue.step === Step.describe) dialogue.done(Step.describe, at, next)
        return
      case Backend.commandComplete:
      case Backend.emptyQuery:
      case Backend.portalSuspended:
        if (dialogue.step !== Step.query) dialogue.done(Step.execute, at, next)
        else dialogue.answering(at)
        return
      case Backend.ready:
        dialogue.ready(at, next)
    }
  }

  /** `SELECT 5`, `FETCH 5`: what was returned; other tags tell what was changed. */
  #rows(bytes: Uint8Array, from: number, end: number, at: number): void {
    const operation = this.#dialogue.answering(at)
    if (operation === undefined || operation.housekeeping) return
    const match = /^(?:SELECT|FETCH) (\d{1,15})$/.exec(latin1(bytes, from, untilNul(bytes, from, end)))
    if (match === null) return
    operation.rows = Math.max(0, operation.rows) + Number(match[1])
    operation.attributes[Attribute.dbResponseReturnedRows] = operation.rows
  }

  /** name NUL, value NUL */
  #setting(bytes: Uint8Array, from: number, end: number): void {
    const nameEnd = untilNul(bytes, from, end)
    if (nameEnd - from !== CONFORMING.length || latin1(bytes, from, nameEnd) !== CONFORMING) return
    const isOff = latin1(bytes, nameEnd + 1, untilNul(bytes, nameEnd + 1, end)) === 'off'
    this.#dialogue.dialect = isOff ? POSTGRESQL_BACKSLASH_ESCAPES : POSTGRESQL
  }

  /** The answer's messages lie in a hole, or are none. Always false unless something can still be read. */
  #lose(stream: InputStream): boolean {
    const dialogue = this.#dialogue
    if (dialogue.idle || !this.#synced) {
      if (this.#synced) dialogue.count('resync')
      this.#synced = false
      stream.resume()
      return false
    }
    dialogue.lose(stream.position, stream.timeNs)
    return true
  }

  /** A call whose last bytes are ReadyForQuery ends the answer. */
  #seekEnd(stream: InputStream): void {
    const dialogue = this.#dialogue
    const { bytes, end, available } = stream
    if (stream.hole > 0) stream.resume()
    else {
      const at = stream.position + available - READY
      const isReady = available >= READY && endsReady(bytes, end)
      stream.consume(available)
      if (isReady) {
        dialogue.endLost(at + READY)
        return
      }
    }
    dialogue.lastSeen = stream.position
    dialogue.lastSeenNs = stream.timeNs
  }
}

function endsReady(bytes: Uint8Array, end: number): boolean {
  const i = end - READY
  if (bytes[i] !== Backend.ready || uint32(bytes, i + 1) !== 5) return false
  const status = bytes[i + 5]
  return status === 0x49 || status === 0x54 || status === 0x45
}

/** Fields: a letter and a text, NUL; 'C' is the state. The rest of them quotes values. */
function sqlStateOf(bytes: Uint8Array, from: number, end: number): string {
  for (let i = from; i < end && bytes[i] !== 0; ) {
    const valueEnd = untilNul(bytes, i + 1, end)
    if (bytes[i] === 0x43) return valueEnd - i === 6 ? latin1(bytes, i + 1, valueEnd) : ''
    i = valueEnd + 1
  }
  return ''
}
