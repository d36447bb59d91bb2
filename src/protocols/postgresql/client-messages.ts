import type { InputStream } from '../input-stream.js'
import { SQL_LIMIT } from '../sql/redact.js'
import { createStatementReader, type SqlStatement } from '../sql/statement-reader.js'
import { type Dialogue, Step } from './dialogue.js'
import { FRONTEND, Frontend, fits, HEADER, text, uint32, untilNul } from './messages.js'
import { becomeExecution, createOperation, type Operation, type OperationKind } from './operation.js'
import { databaseOf, openingOf, STARTUP_HEADER } from './startup.js'

/** Texts are alike on all connections: one reader remembers them all. */
const reader = createStatementReader()

const NAME_LIMIT = 64
const TLS_HANDSHAKE = 0x16

/** Bytes of a message that are looked at, its header included. */
const LOOK = new Uint16Array(256).fill(HEADER)
LOOK[Frontend.query] = HEADER + SQL_LIMIT
LOOK[Frontend.parse] = HEADER + NAME_LIMIT + SQL_LIMIT
LOOK[Frontend.bind] = HEADER + 2 * NAME_LIMIT + 2
LOOK[Frontend.describe] = HEADER + 1 + NAME_LIMIT
LOOK[Frontend.close] = HEADER + 1 + NAME_LIMIT
LOOK[Frontend.execute] = HEADER + NAME_LIMIT

/** What the client says: which operations begin, and what the server is to answer. */
export class ClientMessages {
  readonly #dialogue: Dialogue
  /** The next bytes are known to begin a message. */
  #synced: boolean
  /** Operation whose last message is still on the way. */
  #owed: Operation | undefined

  constructor(dialogue: Dialogue, joined: boolean) {
    this.#dialogue = dialogue
    this.#synced = !joined
  }

  read(stream: InputStream): void {
    const dialogue = this.#dialogue
    if (this.#owed !== undefined && !stream.skipping) {
      dialogue.sent(this.#owed, stream.position)
      this.#owed = undefined
    }
    while (!dialogue.failed && !stream.skipping) {
      const understood = dialogue.opening ? this.#openingMessage(stream) : this.#message(stream)
      if (!understood) return
    }
  }

  /** Each returns false when more bytes are needed, or none of those here can be read. */
  #openingMessage(stream: InputStream): boolean {
    const dialogue = this.#dialogue
    const { bytes, start, available } = stream
    if (available > 0 && bytes[start] === TLS_HANDSHAKE) {
      dialogue.giveUp('tls')
      return false
    }
    if (available < STARTUP_HEADER) return stream.hole > 0 ? this.#lose(stream) : false
    const opening = openingOf(bytes, start)
    const length = uint32(bytes, start)
    if (opening === undefined) return this.#lose(stream)
    const hidden = available < length
    if (hidden && stream.hole === 0 && !stream.ended) return false
    const at = stream.position
    if (opening === 'cancel') {
      const cancel = createOperation('CANCEL', undefined, undefined)
      dialogue.begin(cancel, at)
      stream.skip(length)
      dialogue.told(cancel, stream.position)
      return true
    }
    const isStartup = opening === 'startup'
    const kind: OperationKind = isStartup ? 'LOGIN' : opening === 'ssl' ? 'SSL REQUEST' : 'GSS REQUEST'
    const operation = createOperation(kind, undefined, undefined)
    operation.truncated = hidden
    if (isStartup) {
      dialogue.namespace = databaseOf(bytes, start, Math.min(stream.end, start + length))
      dialogue.opening = false
    }
    dialogue.begin(operation, at)
    dialogue.expect(isStartup ? Step.startup : Step.encryption, operation)
    this.#pass(stream, length, operation)
    this.#synced = true
    return true
  }

  #message(stream: InputStream): boolean {
    const { bytes, start, available } = stream
    if (available < HEADER) {
      // A letter alone may be the beginning; what cannot be a type is not.
      if (stream.hole > 0 || (available > 0 && !this.#synced && FRONTEND[bytes[start]!] === undefined)) {
        return this.#lose(stream)
      }
      return false
    }
    const type = bytes[start]!
    const length = uint32(bytes, start + 1)
    if (!fits(FRONTEND, type, length)) {
      if (type === 0 && !this.#synced) {
        if (available < STARTUP_HEADER && stream.hole === 0) return false
        if (available >= STARTUP_HEADER && openingOf(bytes, start) !== undefined) return this.#openingMessage(stream)
      }
      return this.#lose(stream)
    }
    const total = 1 + length
    const looked = Math.min(total, LOOK[type]!)
    const hidden = available < looked
    if (hidden && stream.hole === 0 && !stream.ended) return false
    this.#synced = true
    const end = Math.min(stream.end, start + looked)
    this.#handle(stream, type, start + HEADER, end, total, hidden)
    return true
  }

  #handle(stream: InputStream, type: number, from: number, end: number, total: number, hidden: boolean): void {
    const dialogue = this.#dialogue
    const at = stream.position
    switch (type) {
      case Frontend.query:
        this.#query(stream, from, end, total, hidden)
        return
      case Frontend.parse:
        this.#parse(stream, from, end, total, hidden)
        break
      case Frontend.bind:
        this.#bind(stream, from, end, hidden)
        break
      case Frontend.describe:
        this.#describe(stream, from, end)
        break
      case Frontend.execute:
        this.#execute(stream, from, end, total)
        return
      case Frontend.close: {
        const name = nameAt(stream.bytes, from + 1, end)
        dialogue.statements.closed(stream.bytes[from] === 0x53 ? 'statement' : 'portal', name)
        dialogue.expect(Step.close, undefined)
        break
      }
      case Frontend.sync:
        this.#finishCurrent(at)
        dialogue.expect(Step.sync, undefined)
        break
      case Frontend.flush:
        if (dialogue.current?.bound === false) this.#finishCurrent(at)
        break
      case Frontend.functionCall: {
        this.#finishCurrent(at)
        const operation = this.#begin('FUNCTION CALL', undefined, at)
        dialogue.expect(Step.functionCall, operation)
        this.#pass(stream, total, operation)
        return
      }
      case Frontend.terminate: {
        this.#finishCurrent(at)
        const operation = this.#begin('TERMINATE', undefined, at)
        stream.consume(total)
        dialogue.told(operation, stream.position)
        return
      }
      default:
        // Data to copy, and what proves who somebody is.
        break
    }
    stream.skip(total)
  }

  #query(stream: InputStream, from: number, end: number, total: number, hidden: boolean): void {
    const at = stream.position
    this.#finishCurrent(at)
    const { statement, traceparent } = this.#statement(stream.bytes, from, end, total - HEADER)
    const operation = this.#begin('QUERY', statement, at)
    if (hidden) operation.truncated = true
    addTraceparent(operation, traceparent)
    this.#dialogue.expect(Step.query, operation)
    this.#pass(stream, total, operation)
  }

  /** statement name NUL, text NUL, count of types: 2, types: 4 each */
  #parse(stream: InputStream, from: number, end: number, total: number, hidden: boolean): void {
    const dialogue = this.#dialogue
    const { bytes, position } = stream
    const { current } = dialogue
    if (current !== undefined && (current.parsed || current.bound || current.kind === 'DESCRIBE')) {
      this.#finishCurrent(position)
    }
    const nameEnd = untilNul(bytes, from, end)
    const textFrom = Math.min(nameEnd + 1, end)
    const left = total - HEADER - (textFrom - from)
    const { statement, traceparent } = this.#statement(bytes, textFrom, end, left)
    const operation = this.#begin('PREPARE', statement, position)
    operation.parsed = true
    operation.statementName = text(bytes, from, nameEnd)
    operation.truncated = hidden
    addTraceparent(operation, traceparent)
    dialogue.statements.prepared(operation.statementName, statement)
    dialogue.current = operation
    dialogue.expect(Step.parse, operation)
  }

  /** portal NUL, statement NUL, formats and values */
  #bind(stream: InputStream, from: number, end: number, hidden: boolean): void {
    const dialogue = this.#dialogue
    const { bytes, position } = stream
    const portalEnd = untilNul(bytes, from, end)
    const nameEnd = untilNul(bytes, portalEnd + 1, end)
    const name = text(bytes, portalEnd + 1, nameEnd)
    const statement = nameEnd < end ? dialogue.statements.find(name) : undefined
    dialogue.statements.bound(text(bytes, from, portalEnd), statement)
    let { current } = dialogue
    if (current !== undefined && (!current.parsed || current.bound || current.statementName !== name)) {
      this.#finishCurrent(position)
      current = undefined
    }
    if (current === undefined) {
      current = this.#begin('EXECUTE', statement, position)
      current.statementName = name
      dialogue.current = current
    } else becomeExecution(current, dialogue.namespace, statement)
    // It was prepared where nobody saw it.
    if (statement === undefined || (hidden && nameEnd >= end)) current.truncated = true
    current.bound = true
    dialogue.expect(Step.bind, current)
  }

  /** 'S' or 'P', name NUL */
  #describe(stream: InputStream, from: number, end: number): void {
    const dialogue = this.#dialogue
    let { current } = dialogue
    if (current === undefined) {
      const name = nameAt(stream.bytes, from + 1, end)
      const { statements } = dialogue
      const statement = stream.bytes[from] === 0x53 ? statements.find(name) : statements.ofPortal(name)
      current = this.#begin('DESCRIBE', statement, stream.position)
      dialogue.current = current
    }
    dialogue.expect(Step.describe, current)
  }

  /** portal NUL, most rows: 4 */
  #execute(stream: InputStream, from: number, end: number, total: number): void {
    const dialogue = this.#dialogue
    let { current } = dialogue
    if (current?.bound !== true) {
      this.#finishCurrent(stream.position)
      const statement = dialogue.statements.ofPortal(nameAt(stream.bytes, from, end))
      current = this.#begin('FETCH', statement, stream.position)
      current.truncated = statement === undefined
      dialogue.current = current
    }
    dialogue.expect(Step.execute, current)
    this.#pass(stream, total, current)
  }

  #begin(kind: OperationKind, statement: SqlStatement | undefined, at: number): Operation {
    const operation = createOperation(kind, this.#dialogue.namespace, statement)
    this.#dialogue.begin(operation, at)
    return operation
  }

  /** The text at bytes[from, end) up to its NUL; `left` bytes of the message begin at `from`. */
  #statement(
    bytes: Uint8Array,
    from: number,
    end: number,
    left: number,
  ): { statement: SqlStatement; traceparent: string | undefined } {
    const textEnd = untilNul(bytes, from, end)
    const cut = textEnd === end && end - from < left
    const statement = reader.read(bytes, from, textEnd, cut, this.#dialogue.dialect)
    return { statement, traceparent: reader.traceparent }
  }

  #finishCurrent(offset: number): void {
    const { current } = this.#dialogue
    if (current !== undefined) this.#dialogue.sent(current, offset)
  }

  /** Passes the last message of an operation. */
  #pass(stream: InputStream, total: number, operation: Operation): void {
    stream.skip(total)
    if (this.#dialogue.current === operation) this.#dialogue.current = undefined
    if (stream.skipping) this.#owed = operation
    else this.#dialogue.sent(operation, stream.position)
  }

  /** Whatever is here cannot be read: the next message that begins a call is looked for. Always false. */
  #lose(stream: InputStream): false {
    if (this.#synced || this.#dialogue.opening) this.#dialogue.count('resync')
    this.#synced = false
    this.#dialogue.opening = false
    const { current } = this.#dialogue
    if (current !== undefined) current.truncated = true
    stream.resume()
    return false
  }
}

function addTraceparent(operation: Operation, traceparent: string | undefined): void {
  if (traceparent !== undefined) {
    operation.contentKeys.push({ type: 'traceparent', value: traceparent, scope: 'one' })
  }
}

function nameAt(bytes: Uint8Array, from: number, end: number): string {
  return text(bytes, from, untilNul(bytes, from, end))
}
