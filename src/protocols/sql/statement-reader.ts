import { MYSQL, type SqlDialect } from './dialect.js'
import { createRedacted, type Redacted, redact } from './redact.js'
import { type SqlSummary, summarize } from './summarize.js'

/** One statement without its values. Shared by all that read the same text: immutable but for its memo. */
export interface SqlStatement {
  /** Redacted; literals are `?`. */
  readonly text: string
  /** `SELECT`, `CREATE TABLE`…; empty when unknown. */
  readonly operation: string
  readonly collection: string | undefined
  readonly storedProcedure: string | undefined
  /** The schema that `USE schema` chooses. */
  readonly uses: string | undefined
  /** `SELECT shop.items`: operations and targets, tables without a schema get `namespace`; at most 255 characters. */
  summary(namespace: string | undefined): string
}

export interface SqlStatementReader {
  /**
   * The statement in bytes[start, end). A statement that was read before costs one pass over its bytes and allocates
   * nothing. `cut`: its end is not there.
   */
  read(bytes: Uint8Array, start: number, end: number, cut: boolean, dialect: SqlDialect): SqlStatement
  /** The `traceparent` in a comment of the statement that was read last. */
  readonly traceparent: string | undefined
}

interface Entry extends SqlStatement {
  readonly hash: number
  readonly bytes: Uint8Array
}

/** @param slots texts that are remembered, a power of two; a new text takes the place of an older one. */
export function createStatementReader(slots = 4096): SqlStatementReader {
  const redacted = createRedacted()
  const entries: (Entry | undefined)[] = new Array<Entry | undefined>(slots).fill(undefined)
  const mask = slots - 1
  return {
    read: (bytes, start, end, cut, dialect = MYSQL) => {
      redact(bytes, start, end, cut, dialect, redacted)
      const slot = (redacted.hash ^ (redacted.hash >>> 15)) & mask
      const known = entries[slot]
      if (known !== undefined && isSame(known, redacted)) return known
      const entry = createEntry(redacted)
      entries[slot] = entry
      return entry
    },
    get traceparent() {
      return redacted.traceparent
    },
  }
}

function isSame(entry: Entry, redacted: Redacted): boolean {
  const { bytes } = entry
  if (entry.hash !== redacted.hash || bytes.length !== redacted.length) return false
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== redacted.bytes[i]) return false
  return true
}

function createEntry(redacted: Redacted): Entry {
  const bytes = redacted.bytes.slice(0, redacted.length)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  const found = summarize(text)
  let memoNamespace: string | undefined
  let memo = join(found, undefined)
  return {
    hash: redacted.hash,
    bytes,
    text,
    operation: found.operation,
    collection: found.collection,
    storedProcedure: found.storedProcedure,
    uses: found.uses,
    summary: namespace => {
      if (namespace !== memoNamespace) {
        memoNamespace = namespace
        memo = join(found, namespace)
      }
      return memo
    },
  }
}

/** Semantic conventions: at most 255 characters, cut between words. */
const SUMMARY_LIMIT = 255

function join(found: SqlSummary, namespace: string | undefined): string {
  let summary = ''
  for (const { text, unqualified } of found.parts) {
    const part = unqualified && namespace !== undefined ? `${namespace}.${text}` : text
    if (summary.length + part.length + 1 > SUMMARY_LIMIT) break
    summary += summary === '' ? part : ` ${part}`
  }
  return summary
}
