/**
 * What a statement does, read from its redacted text: for the span's name and the `db.*` attributes. The summary
 * follows OpenTelemetry's "Generating a summary of the query": operations and their targets in order of appearance.
 */
export interface SqlSummary {
  /** `SELECT`, `CREATE TABLE`, `COMMIT`; empty when the statement begins with no known verb. */
  readonly operation: string
  /** Operations (upper case) and targets, in order; a target is marked so that a schema can be put before it. */
  readonly parts: readonly SummaryPart[]
  /** The target, when there is exactly one. */
  readonly collection: string | undefined
  readonly storedProcedure: string | undefined
  /** The schema that `USE schema` chooses. */
  readonly uses: string | undefined
}

export interface SummaryPart {
  readonly text: string
  /** A table that stands without its schema. */
  readonly unqualified: boolean
}

const TOKENS = 600
const TOKEN = /`(?:[^`]|``)*`?|"(?:[^"]|"")*"?|[A-Za-z_$@\u0080-\uffff][\w$@\u0080-\uffff]*|[^\s]/g

const DML = new Set(['SELECT', 'INSERT', 'REPLACE', 'UPDATE', 'DELETE'])
/** Verbs that are followed by the kind of thing they act on. */
const DDL = new Set(['CREATE', 'ALTER', 'DROP', 'TRUNCATE', 'RENAME', 'ANALYZE', 'OPTIMIZE', 'CHECK', 'REPAIR'])
const KINDS = new Set(
  'TABLE TABLES VIEW INDEX DATABASE SCHEMA USER ROLE TRIGGER PROCEDURE FUNCTION EVENT SEQUENCE SERVER TABLESPACE'.split(
    ' ',
  ),
)
/** Kinds whose definition holds statements, which are not executed now. */
const PROGRAMS = new Set(['PROCEDURE', 'FUNCTION', 'TRIGGER', 'EVENT'])
/** Kinds whose name is a collection; names of users, triggers and the like stay out of the summary. */
const NAMED_KINDS = new Set(['TABLE', 'VIEW', 'SEQUENCE'])
const NOISE = new Set(
  'TEMPORARY TEMP UNLOGGED MATERIALIZED CONCURRENTLY RECURSIVE UNIQUE FULLTEXT SPATIAL OR REPLACE IF NOT EXISTS ONLINE OFFLINE IGNORE LOCAL NO_WRITE_TO_BINLOG ONLY'.split(
    ' ',
  ),
)
/** Verbs that stand for themselves. */
const PLAIN = new Set(
  (
    'SET BEGIN COMMIT ROLLBACK SAVEPOINT RELEASE USE DO KILL FLUSH GRANT REVOKE PREPARE EXECUTE DEALLOCATE HANDLER ' +
    'RESET PURGE CHANGE STOP INSTALL UNINSTALL SIGNAL RESIGNAL GET HELP BINLOG CACHE XA END DECLARE FETCH CLOSE VALUES ' +
    'SHUTDOWN CLONE IMPORT RESTART ABORT LISTEN UNLISTEN NOTIFY DISCARD VACUUM REINDEX CLUSTER COMMENT REFRESH REASSIGN ' +
    'CHECKPOINT MOVE SECURITY'
  ).split(' '),
)
const SHOWN = new Set(
  (
    'TABLES TABLE DATABASES SCHEMAS COLUMNS FIELDS INDEX INDEXES KEYS VARIABLES STATUS WARNINGS ERRORS GRANTS CREATE ' +
    'PROCESSLIST ENGINE ENGINES PLUGINS COLLATION CHARACTER TRIGGERS EVENTS MASTER SLAVE REPLICA BINARY PROFILES'
  ).split(' '),
)
/** Words that end a list of tables. */
const LIST_ENDS = new Set(
  'WHERE GROUP HAVING ORDER LIMIT SET UNION EXCEPT INTERSECT FOR WINDOW VALUES VALUE LOCK RETURNING PROCEDURE'.split(
    ' ',
  ),
)
const NOT_A_TARGET = new Set(['SELECT', 'LATERAL', 'OUTFILE', 'DUMPFILE', 'VALUES', 'JSON_TABLE', 'UNNEST', 'DUAL'])
const BEFORE_TARGET = new Set(['LOW_PRIORITY', 'HIGH_PRIORITY', 'DELAYED', 'IGNORE', 'INTO', 'QUICK', 'TABLE', 'ONLY'])

/** @param text a statement without literals and comments; several statements may follow each other. */
export function summarize(text: string): SqlSummary {
  const tokens: string[] = []
  for (const match of text.matchAll(TOKEN)) {
    tokens.push(match[0])
    if (tokens.length === TOKENS) break
  }
  const scan = new Scan(tokens)
  scan.run()
  return scan
}

class Scan implements SqlSummary {
  operation = ''
  readonly parts: SummaryPart[] = []
  collection: string | undefined
  storedProcedure: string | undefined
  uses: string | undefined

  readonly #tokens: readonly string[]
  readonly #targets = new Set<string>()
  readonly #ctes = new Set<string>()
  #at = 0

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens
  }

  run(): void {
    while (this.#at < this.#tokens.length) {
      this.#statement()
      while (this.#at < this.#tokens.length && this.#tokens[this.#at] !== ';') this.#at++
      this.#at++
    }
    if (this.#targets.size === 1) this.collection = this.#targets.values().next().value
  }

  #word(ahead = 0): string {
    return this.#tokens[this.#at + ahead]?.toUpperCase() ?? ''
  }

  #operate(operation: string): void {
    if (this.operation === '') this.operation = operation
    this.parts.push({ text: operation, unqualified: false })
  }

  #statement(): void {
    while (this.#word() === '(') this.#at++
    const verb = this.#word()
    if (verb === 'WITH') this.#withQueries()
    else if (DML.has(verb)) this.#dml(verb)
    else if (verb === 'ANALYZE' && DML.has(this.#word(1))) this.#explain(verb)
    else if (DDL.has(verb)) this.#ddl(verb)
    else if (verb === 'EXPLAIN' || verb === 'DESCRIBE' || verb === 'DESC') this.#explain('EXPLAIN')
    else if (verb === 'SHOW') this.#show()
    else if (verb === 'CALL') this.#call()
    else if (verb === 'LOAD') this.#load()
    else if (verb === 'COPY') this.#copy()
    else if (verb === 'MERGE') this.#merge()
    else if (verb === 'START') this.#operate(this.#word(1) === 'TRANSACTION' ? 'START TRANSACTION' : 'START')
    else if (verb === 'LOCK' || verb === 'UNLOCK') this.#operate(`${verb} TABLES`)
    else if (verb === 'TABLE') {
      this.#operate(verb)
      this.#at++
      this.#target()
    } else if (PLAIN.has(verb)) {
      this.#operate(verb)
      if (verb === 'USE') this.uses = this.#identifierAt(this.#at + 1)
    }
  }

  /** WITH [RECURSIVE] name [(…)] AS (…), … statement */
  #withQueries(): void {
    this.#at++
    if (this.#word() === 'RECURSIVE') this.#at++
    // The names first: a query may use one that stands behind it, or itself.
    let depth = 0
    for (let i = this.#at, expectName = true; i < this.#tokens.length; i++) {
      const token = this.#tokens[i]!
      if (token === '(') depth++
      else if (token === ')') depth--
      else if (depth > 0) continue
      else if (token === ',') expectName = true
      else if (DML.has(token.toUpperCase())) {
        this.#at = i
        break
      } else if (expectName) {
        this.#ctes.add(bare(token).toLowerCase())
        expectName = false
      }
    }
    // What the statement does comes first, then where it reads: the order of the text would hide the operation.
    const main = this.#at
    const verb = this.#word()
    if (DML.has(verb)) this.#dml(verb)
    const after = this.#at
    this.#at = 0
    this.#queries(main)
    this.#at = after
  }

  #dml(verb: string): void {
    this.#operate(verb)
    this.#at++
    if (verb === 'INSERT' || verb === 'REPLACE' || verb === 'UPDATE') {
      while (BEFORE_TARGET.has(this.#word())) this.#at++
      this.#target()
      if (verb === 'UPDATE') this.#queries(this.#tokens.length, true, false)
      else this.#queries(this.#tokens.length, false, false)
    } else this.#queries(this.#tokens.length, false, true)
  }

  /**
   * The rest of a statement, up to `end` or `;`: targets behind FROM and JOIN, and inner SELECTs. FROM is a word of
   * functions too, `EXTRACT(YEAR FROM d)`: it counts only where a query was begun at the same depth.
   */
  #queries(end: number, inList = false, isQuery = false): void {
    const queryAt: boolean[] = [isQuery]
    const listAt: boolean[] = [inList]
    let depth = 0
    while (this.#at < end) {
      const token = this.#tokens[this.#at]!
      if (token === ';') return
      const word = token.toUpperCase()
      this.#at++
      if (token === '(') {
        depth++
        queryAt[depth] = false
        // `FROM (a, b)`, `JOIN (a CROSS JOIN b)`: a parenthesis in a list of tables holds tables.
        listAt[depth] = false
      } else if (token === ')') depth = Math.max(0, depth - 1)
      else if (word === 'SELECT') {
        queryAt[depth] = true
        listAt[depth] = false
        this.#operate(word)
      } else if (word === 'FROM' ? queryAt[depth] === true : word === 'JOIN' || word === 'STRAIGHT_JOIN') {
        listAt[depth] = true
        this.#target()
      } else if (token === ',' && listAt[depth] === true) this.#target()
      else if (LIST_ENDS.has(word)) listAt[depth] = false
    }
  }

  /** Reads `[schema.]table` if that is what follows. */
  #target(): void {
    while (BEFORE_TARGET.has(this.#word()) && this.#word() !== 'IGNORE') this.#at++
    const token = this.#tokens[this.#at]
    if (token === undefined || !isName(token) || NOT_A_TARGET.has(token.toUpperCase())) return
    this.#at++
    let name = bare(token)
    let unqualified = true
    while (this.#tokens[this.#at] === '.' && isName(this.#tokens[this.#at + 1] ?? '')) {
      name += `.${bare(this.#tokens[this.#at + 1]!)}`
      unqualified = false
      this.#at += 2
    }
    // A table function, and a common table expression, are no tables.
    if (unqualified && this.#ctes.has(name.toLowerCase())) return
    if (this.#targets.has(name)) return
    this.#targets.add(name)
    this.parts.push({ text: name, unqualified })
  }

  #ddl(verb: string): void {
    this.#at++
    while (NOISE.has(this.#word())) this.#at++
    const kind = this.#word()
    if (!KINDS.has(kind)) {
      this.#operate(verb)
      // `TRUNCATE items`
      if (verb === 'TRUNCATE') this.#target()
      return
    }
    this.#operate(`${verb} ${kind}`)
    this.#at++
    if (PROGRAMS.has(kind) && verb !== 'DROP') this.#at = this.#tokens.length
    while (NOISE.has(this.#word())) this.#at++
    if (NAMED_KINDS.has(kind)) {
      this.#target()
      while (verb === 'DROP' && this.#word() === ',') {
        this.#at++
        this.#target()
      }
    } else if (kind === 'INDEX') {
      while (this.#at < this.#tokens.length && this.#word() !== 'ON' && this.#word() !== ';') this.#at++
      this.#at++
      this.#target()
    }
  }

  #explain(verb: string): void {
    this.#operate(verb)
    this.#at++
    while (this.#at < this.#tokens.length && this.#word() !== ';') {
      if (DML.has(this.#word())) {
        this.#dml(this.#word())
        return
      }
      if (verb === 'EXPLAIN' && this.#tokens.length <= 5) {
        this.#target()
        return
      }
      this.#at++
    }
  }

  #show(): void {
    for (let ahead = 1; ahead <= 3; ahead++) {
      if (!SHOWN.has(this.#word(ahead))) continue
      this.#operate(`SHOW ${this.#word(ahead)}`)
      return
    }
    this.#operate('SHOW')
  }

  #call(): void {
    this.#operate('CALL')
    this.#at++
    const before = this.parts.length
    this.#target()
    const procedure = this.parts[before]
    if (procedure === undefined) return
    this.#targets.delete(procedure.text)
    this.storedProcedure = procedure.text
  }

  #load(): void {
    this.#operate('LOAD')
    while (this.#at < this.#tokens.length && this.#word() !== 'INTO' && this.#word() !== ';') this.#at++
    if (this.#word() === 'INTO') this.#target()
  }

  /** COPY table [(columns)] FROM …, COPY (query) TO … (PostgreSQL) */
  #copy(): void {
    this.#operate('COPY')
    this.#at++
    if (this.#word() === '(') this.#queries(this.#tokens.length)
    else this.#target()
  }

  /** MERGE INTO table USING table … */
  #merge(): void {
    this.#operate('MERGE')
    this.#at++
    this.#target()
    while (this.#at < this.#tokens.length && this.#word() !== 'USING' && this.#word() !== ';') this.#at++
    if (this.#word() !== 'USING') return
    this.#at++
    if (this.#word() === '(') this.#queries(this.#tokens.length)
    else this.#target()
  }

  #identifierAt(index: number): string | undefined {
    const token = this.#tokens[index]
    return token !== undefined && isName(token) ? bare(token) : undefined
  }
}

function isName(token: string): boolean {
  return /^[`"A-Za-z_$\u0080-\uffff]/.test(token)
}

function bare(token: string): string {
  const quote = token[0]
  if (quote !== '`' && quote !== '"') return token
  const inner = token.endsWith(quote) && token.length > 1 ? token.slice(1, -1) : token.slice(1)
  return inner.replaceAll(quote + quote, quote)
}
