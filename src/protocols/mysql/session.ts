import { MYSQL, MYSQL_NO_BACKSLASH_ESCAPES } from '../sql/dialect.js'
import { createStatementReader } from '../sql/statement-reader.js'
import { Status } from './answer.js'
import { Command, type CommandKind } from './commands.js'
import { Capability, COMPRESSION, databaseOfChangeUser, type Greeting, type Login } from './handshake.js'
import { createOperation, type Operation } from './operation.js'
import { HEADER, text, uint32 } from './packets.js'
import { looksLikeAttributes, readQueryAttributes } from './query-attributes.js'
import { PreparedStatements } from './statements.js'

/** Texts are alike on all connections: one reader remembers them all. */
const reader = createStatementReader()

/** What a connection's ends have agreed on, and what its commands refer to. */
export class Session {
  system = 'mysql'
  namespace: string | undefined
  /** Of both ends; undefined when the login was not seen. */
  capabilities: number | undefined
  /** What names the schema was not seen whole, so that statements may get the wrong name. */
  #namespaceHidden = false
  readonly #statements = new PreparedStatements()
  #offered: number | undefined
  #dialect = MYSQL

  greeted(greeting: Greeting): void {
    this.system = greeting.system
    this.#offered = greeting.capabilities
  }

  loggedIn(login: Login, hidden: boolean): void {
    this.#namespaceHidden = hidden
    this.capabilities = this.#offered === undefined ? login.capabilities : login.capabilities & this.#offered
    this.namespace = login.database
  }

  /** Once the login has succeeded, every byte is compressed. */
  get compresses(): boolean {
    return this.capabilities !== undefined && (this.capabilities & COMPRESSION) !== 0
  }

  get deprecatesEof(): boolean | undefined {
    return this.capabilities === undefined ? undefined : (this.capabilities & Capability.deprecateEof) !== 0
  }

  /**
   * The operation of the command packet at bytes[at, end), header included, of which `length` bytes are payload.
   * `hidden`: the end of what is here lies in a hole.
   */
  command(kind: CommandKind, bytes: Uint8Array, at: number, end: number, length: number, hidden: boolean): Operation {
    const operation = this.#operation(kind, bytes, at, end, length)
    if (hidden || this.#namespaceHidden) operation.truncated = true
    return operation
  }

  #operation(kind: CommandKind, bytes: Uint8Array, at: number, end: number, length: number): Operation {
    const from = at + HEADER + 1
    switch (bytes[at + HEADER]) {
      case Command.query:
        return this.#query(kind, bytes, from, end, end < at + HEADER + length)
      case Command.prepare: {
        const statement = reader.read(bytes, from, end, end < at + HEADER + length, this.#dialect)
        this.#statements.preparing(statement)
        return createOperation(kind, this, statement, undefined, true)
      }
      case Command.execute:
      case Command.bulkExecute:
      case Command.fetch: {
        const statement = from + 4 <= end ? this.#statements.find(uint32(bytes, from)) : undefined
        const operation = createOperation(kind, this, statement, undefined, kind.name === 'FETCH')
        // It was prepared where nobody saw it.
        operation.truncated = statement === undefined
        return operation
      }
      case Command.closeStatement:
        if (from + 4 <= end) this.#statements.closed(uint32(bytes, from))
        return createOperation(kind, this, undefined, undefined)
      case Command.initDb:
        return createOperation(kind, this, undefined, text(bytes, from, end))
      case Command.changeUser:
        return createOperation(kind, this, undefined, databaseOfChangeUser(bytes, at, end))
      default:
        return createOperation(kind, this, undefined, undefined)
    }
  }

  /** The command was answered with success. */
  succeeded(operation: Operation, statementId: number): void {
    const { kind, statement } = operation
    if (kind.name === 'PREPARE') {
      if (statement !== undefined) this.#statements.prepared(statementId, statement)
    } else if (kind.name === 'CHANGE USER') {
      this.#use(operation)
      this.#statements.clear()
    } else if (kind.name === 'RESET CONNECTION') this.#statements.clear()
    else if (operation.uses !== undefined) this.#use(operation)
  }

  #use(operation: Operation): void {
    this.namespace = operation.uses
    this.#namespaceHidden = operation.truncated
  }

  /** Of an OK or EOF packet. */
  statusSeen(status: number): void {
    this.#dialect = (status & Status.noBackslashEscapes) === 0 ? MYSQL : MYSQL_NO_BACKSLASH_ESCAPES
  }

  #query(kind: CommandKind, bytes: Uint8Array, from: number, end: number, cut: boolean): Operation {
    let traceparent: string | undefined
    if (this.#hasAttributes(bytes, from, end)) {
      const attributes = readQueryAttributes(bytes, from, end)
      traceparent = attributes.traceparent
      from = attributes.textStart
    }
    // Attributes that could not be read to their end hide where the text begins.
    const statement = from < 0 ? undefined : reader.read(bytes, from, end, cut, this.#dialect)
    const operation = createOperation(kind, this, statement, statement?.uses)
    operation.truncated = statement === undefined
    traceparent ??= statement === undefined ? undefined : reader.traceparent
    if (traceparent !== undefined) {
      operation.contentKeys.push({ type: 'traceparent', value: traceparent, scope: 'one' })
    }
    return operation
  }

  #hasAttributes(bytes: Uint8Array, from: number, end: number): boolean {
    if (this.capabilities === undefined) return looksLikeAttributes(bytes, from, end)
    return (this.capabilities & Capability.queryAttributes) !== 0
  }
}
