import type { SqlStatement } from '../sql/statement-reader.js'

/** Prepared statements and portals that one connection remembers. */
const MOST_STATEMENTS = 4096
const MOST_PORTALS = 256

/** Names → texts, as the connection's own Parse and Bind messages tell. The empty name is one like any other. */
export class PreparedStatements {
  readonly #byName = new Map<string, SqlStatement>()
  readonly #byPortal = new Map<string, SqlStatement>()

  find(name: string): SqlStatement | undefined {
    return this.#byName.get(name)
  }

  ofPortal(name: string): SqlStatement | undefined {
    return this.#byPortal.get(name)
  }

  prepared(name: string, statement: SqlStatement): void {
    set(this.#byName, name, statement, MOST_STATEMENTS)
  }

  bound(portal: string, statement: SqlStatement | undefined): void {
    if (statement === undefined) this.#byPortal.delete(portal)
    else set(this.#byPortal, portal, statement, MOST_PORTALS)
  }

  closed(kind: 'statement' | 'portal', name: string): void {
    if (kind === 'statement') this.#byName.delete(name)
    else this.#byPortal.delete(name)
  }
}

function set(map: Map<string, SqlStatement>, name: string, statement: SqlStatement, most: number): void {
  if (!map.has(name) && map.size >= most) map.delete(map.keys().next().value!)
  map.set(name, statement)
}
