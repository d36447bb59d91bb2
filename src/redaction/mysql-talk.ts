import { Answer, Status, Step } from '../protocols/mysql/answer.js'
import { AnswerKind } from '../protocols/mysql/commands.js'
import { Capability } from '../protocols/mysql/handshake.js'
import { MYSQL, MYSQL_NO_BACKSLASH_ESCAPES, type SqlDialect } from '../protocols/sql/dialect.js'

const MOST_PENDING = 256
/** Sequence number of an answer to a command whose last packet was not seen. */
export const ANY_SEQUENCE = -1

export const Phase = { greeting: 0, authenticating: 1, commands: 2, file: 3 } as const

/** A command that waits for its answer. */
export interface Pending {
  readonly kind: number
  readonly isLogin: boolean
  answerSequence: number
}

/** What both directions of a connection must know of each other to tell structure from content. */
export class MysqlTalk {
  phase: number
  dialect: SqlDialect = MYSQL
  /** Of the client's last packet. */
  clientSequence = 0
  /** Sequence number that the answer's next packet must have; −1 between answers. */
  serverSequence = -1
  /** Packets of the answer were not seen. */
  lost = false
  readonly answer = new Answer()
  readonly pending: Pending[] = []
  #offered: number | undefined
  #capabilities: number | undefined

  constructor(joined: boolean) {
    this.phase = joined ? Phase.commands : Phase.greeting
  }

  greeted(capabilities: number): void {
    this.#offered = capabilities
  }

  loggedIn(capabilities: number): void {
    this.#capabilities = this.#offered === undefined ? capabilities : capabilities & this.#offered
    this.answer.deprecateEof = (this.#capabilities & Capability.deprecateEof) !== 0
  }

  /** Whether attributes stand before the text of a query; undefined: the login was not seen. */
  get hasAttributes(): boolean | undefined {
    return this.#capabilities === undefined ? undefined : (this.#capabilities & Capability.queryAttributes) !== 0
  }

  sent(kind: number, answerSequence: number, isLogin = false): Pending | undefined {
    if (kind === AnswerKind.none) return undefined
    if (this.pending.length >= MOST_PENDING) {
      this.pending.shift()
      this.serverSequence = -1
    }
    const pending: Pending = { kind, isLogin, answerSequence }
    this.pending.push(pending)
    return pending
  }

  /** Whether a packet of the server with this sequence number belongs to an answer that is waited for. */
  expects(sequence: number): boolean {
    const [first, next] = this.pending
    if (first === undefined) return false
    if (this.serverSequence < 0) {
      if (sequence !== first.answerSequence && first.answerSequence !== ANY_SEQUENCE) return false
      this.answer.begin(first.kind)
      this.serverSequence = sequence
      return true
    }
    if (sequence === this.serverSequence || this.phase === Phase.file) return true
    if (next === undefined || sequence !== next.answerSequence) {
      this.lost = true
      return false
    }
    this.ended(Step.lost)
    return this.expects(sequence)
  }

  ended(step: number): void {
    this.serverSequence = -1
    const pending = this.pending.shift()
    if (this.phase === Phase.file) this.phase = Phase.commands
    if (step === Step.done) {
      const escapes = (this.answer.status & Status.noBackslashEscapes) === 0
      this.dialect = escapes ? MYSQL : MYSQL_NO_BACKSLASH_ESCAPES
    }
    if (pending?.isLogin === true) this.phase = Phase.commands
  }
}
