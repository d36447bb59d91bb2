import type { SqlStatement } from '../sql/statement-reader.js'

/** Prepared statements that one connection remembers; servers allow 16,382 for all their connections by default. */
const MOST = 4096
/** MariaDB: "the statement that was prepared last", whose id the client does not know yet. */
const LAST = 0xffffffff

/** Statement id → text, as the connection's own prepared statements tell. */
export class PreparedStatements {
  readonly #byId = new Map<number, SqlStatement>()
  #last: SqlStatement | undefined

  find(id: number): SqlStatement | undefined {
    return id === LAST ? this.#last : this.#byId.get(id)
  }

  preparing(statement: SqlStatement | undefined): void {
    this.#last = statement
  }

  prepared(id: number, statement: SqlStatement): void {
    if (this.#byId.size >= MOST) this.#byId.delete(this.#byId.keys().next().value!)
    this.#byId.set(id, statement)
  }

  closed(id: number): void {
    this.#byId.delete(id)
  }

  clear(): void {
    this.#byId.clear()
    this.#last = undefined
  }
}
