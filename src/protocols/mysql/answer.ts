import { AnswerKind } from './commands.js'
import { encodedInteger, HEADER, lengthOfInteger, uint16, uint32 } from './packets.js'

/** https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html, SERVER_STATUS_flags_enum */
export const Status = { moreResults: 0x0008, cursorExists: 0x0040, noBackslashEscapes: 0x0200 } as const

/** Payload bytes that `Answer.packet` needs to see: an OK packet's numbers at their longest. */
export const PEEK = 24

/** Error code with which MariaDB tells how far a long command has come; the answer follows. */
const PROGRESS = 0xffff

/** What a packet means for the answer it belongs to. */
export const Step = {
  more: 0,
  /** The answer is complete. */
  done: 1,
  /** The same, with an error: `errorCode`. */
  error: 2,
  /** The client sends a file next, then the answer goes on. */
  file: 3,
  /** The answer is over, but its end was not seen. */
  lost: 4,
} as const

const FIRST = 0
const COLUMNS = 1
const AFTER_COLUMNS = 2
const ROWS = 3
const SINGLE = 4
const PREPARED = 5
const DEFINITIONS = 6
const AFTER_DEFINITIONS = 7
const AUTHENTICATION = 8
const STREAM = 9

/** What the next packet of an answer may be. */
export const Expected = {
  first: FIRST,
  columns: COLUMNS,
  afterColumns: AFTER_COLUMNS,
  rows: ROWS,
  single: SINGLE,
  prepared: PREPARED,
  definitions: DEFINITIONS,
  afterDefinitions: AFTER_DEFINITIONS,
  authentication: AUTHENTICATION,
  stream: STREAM,
} as const

const START: Readonly<Record<number, number>> = {
  [AnswerKind.single]: SINGLE,
  [AnswerKind.result]: FIRST,
  [AnswerKind.rows]: ROWS,
  [AnswerKind.prepared]: PREPARED,
  [AnswerKind.authentication]: AUTHENTICATION,
  [AnswerKind.stream]: STREAM,
}

/**
 * The answer that is being read, packet by packet. Result sets end with EOF (5 bytes) or, with CLIENT_DEPRECATE_EOF,
 * with an OK packet that begins with 0xfe (7 bytes and more): the length tells them apart, so that a connection that
 * was joined in the middle reads right, too.
 */
export class Answer {
  /** Of the last OK or EOF. */
  status = 0
  errorCode = 0
  /** Of COM_STMT_PREPARE. */
  statementId = 0
  /** Whether EOF packets are left out; undefined until the login or an answer told. */
  deprecateEof: boolean | undefined

  #state = FIRST
  #left = 0
  #leftAfter = 0

  /** True while rows are read: packets of which only the first byte matters. */
  get inRows(): boolean {
    return this.#state === ROWS
  }

  /** Of `Expected`. */
  get expects(): number {
    return this.#state
  }

  begin(kind: number): void {
    this.#state = START[kind] ?? SINGLE
    this.status = 0
    this.errorCode = 0
    this.statementId = 0
  }

  /** One packet of `length` bytes payload; bytes[start, end) of it are here: at least min(length, PEEK). */
  packet(bytes: Uint8Array, start: number, end: number, length: number): number {
    const first = length > 0 ? bytes[start]! : -1
    if (first === 0xff && this.#state !== STREAM) {
      this.errorCode = end - start >= 3 ? uint16(bytes, start + 1) : 0
      return this.errorCode === PROGRESS ? Step.more : Step.error
    }
    switch (this.#state) {
      case FIRST:
        return this.#first(bytes, start, end, length, first)
      case COLUMNS:
        if (--this.#left === 0) this.#state = AFTER_COLUMNS
        return Step.more
      case AFTER_COLUMNS:
        this.#state = ROWS
        if (first === 0xfe && length === 5) {
          this.deprecateEof = false
          this.status = uint16(bytes, start + 3)
          // A cursor was opened: rows are fetched by COM_STMT_FETCH.
          return (this.status & Status.cursorExists) !== 0 ? Step.done : Step.more
        }
        this.deprecateEof = true
        return this.#row(bytes, start, end, length, first)
      case ROWS:
        return this.#row(bytes, start, end, length, first)
      case PREPARED:
        return this.#prepared(bytes, start, end, length, first)
      case DEFINITIONS:
        return this.#definition()
      case AFTER_DEFINITIONS:
        return this.#afterDefinitions(length, first)
      case AUTHENTICATION:
        return first === 0 ? this.#ok(bytes, start, end) : Step.more
      case STREAM:
        return Step.more
      default:
        if (first === 0) this.#ok(bytes, start, end)
        return Step.done
    }
  }

  #first(bytes: Uint8Array, start: number, end: number, length: number, first: number): number {
    if (first === 0) return this.#ok(bytes, start, end)
    if (first === 0xfb) return Step.file
    if (first === 0xfe && length < 9) return this.#row(bytes, start, end, length, first)
    const columns = encodedInteger(bytes, start, end)
    if (columns <= 0) return Step.done
    // MariaDB, MARIADB_CLIENT_CACHE_METADATA: a byte that says whether definitions follow.
    const flag = start + lengthOfInteger(first)
    const left = length > flag - start && flag < end && bytes[flag] === 0 ? 0 : columns
    this.#left = left
    this.#state = left === 0 ? AFTER_COLUMNS : COLUMNS
    return Step.more
  }

  #row(bytes: Uint8Array, start: number, end: number, length: number, first: number): number {
    // A row begins with 0xfe only when its first value has 16 MiB and more.
    if (first !== 0xfe || length >= 0xffffff) return Step.more
    if (length > 5) return this.#ok(bytes, start, end)
    this.status = length === 5 ? uint16(bytes, start + 3) : 0
    return this.#afterResult()
  }

  /** 0x00 or 0xfe, affected rows, last insert id, status, warnings */
  #ok(bytes: Uint8Array, start: number, end: number): number {
    let i = start + 1
    if (i < end) i += lengthOfInteger(bytes[i]!)
    if (i < end) i += lengthOfInteger(bytes[i]!)
    this.status = i + 2 <= end ? uint16(bytes, i) : 0
    return this.#afterResult()
  }

  #afterResult(): number {
    if ((this.status & Status.moreResults) === 0) return Step.done
    this.#state = FIRST
    return Step.more
  }

  /** 0x00, statement id: 4, columns: 2, parameters: 2, filler, warnings: 2 [, definitions follow: 1] */
  #prepared(bytes: Uint8Array, start: number, end: number, length: number, first: number): number {
    if (first !== 0 || end - start < 9) return Step.done
    this.statementId = uint32(bytes, start + 1)
    const columns = uint16(bytes, start + 5)
    const parameters = uint16(bytes, start + 7)
    if (length === 13 && end - start >= 13 && bytes[start + 12] === 0) return Step.done
    this.#left = parameters === 0 ? columns : parameters
    this.#leftAfter = parameters === 0 ? 0 : columns
    if (this.#left === 0) return Step.done
    this.#state = DEFINITIONS
    return Step.more
  }

  #definition(): number {
    if (--this.#left > 0) return Step.more
    if (this.deprecateEof === false || (this.deprecateEof === undefined && this.#leftAfter > 0)) {
      this.#state = AFTER_DEFINITIONS
      return Step.more
    }
    // Not known whether an EOF follows: if so, whoever reads on passes over it.
    return this.#nextDefinitions()
  }

  #afterDefinitions(length: number, first: number): number {
    if (first === 0xfe && length === 5) {
      this.deprecateEof = false
      return this.#nextDefinitions()
    }
    this.deprecateEof = true
    this.#nextDefinitions()
    return this.#definition()
  }

  #nextDefinitions(): number {
    this.#left = this.#leftAfter
    this.#leftAfter = 0
    if (this.#left === 0) return Step.done
    this.#state = DEFINITIONS
    return Step.more
  }
}

/**
 * Whether bytes[start, end) end with the packet that ends a result set: EOF, or OK without any message. For answers
 * whose packets could not all be followed.
 */
export function endsResult(bytes: Uint8Array, start: number, end: number): boolean {
  const eof = end - HEADER - 5
  if (eof >= start && bytes[eof] === 5 && isTerminator(bytes, eof)) {
    return (uint16(bytes, eof + HEADER + 3) & Status.moreResults) === 0
  }
  const ok = end - HEADER - 7
  if (ok >= start && bytes[ok] === 7 && isTerminator(bytes, ok) && uint16(bytes, ok + HEADER + 1) === 0) {
    return (uint16(bytes, ok + HEADER + 3) & Status.moreResults) === 0
  }
  return false
}

/** Most bytes that `endsResult` looks at. */
export const TERMINATOR = HEADER + 7

function isTerminator(bytes: Uint8Array, i: number): boolean {
  return bytes[i + 1] === 0 && bytes[i + 2] === 0 && bytes[i + HEADER] === 0xfe
}
