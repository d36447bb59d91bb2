/** How a database quotes: what the redactor must know so that no literal is taken for a name. */
export interface SqlDialect {
  /** `\'` inside a string does not end it. */
  readonly backslashEscapes: boolean
  /** What `"…"` holds. Where a server setting decides, the safe answer is 'literal'. */
  readonly doubleQuotes: 'literal' | 'identifier'
  /** `` `…` `` is a name. */
  readonly backticks: boolean
  /** `#` begins a comment that ends with the line. */
  readonly hashComments: boolean
  /** `--` begins a comment only before white space; otherwise it is two minus signs. */
  readonly dashesNeedSpace: boolean
  /** What stands in a comment that begins with `/*!` or `/*M!` is executed. */
  readonly executableComments: boolean
  /** A comment may hold comments. */
  readonly nestedComments: boolean
  /** `E'…'` has backslash escapes, whatever other strings have. */
  readonly escapeStrings: boolean
  /** `$tag$…$tag$` is a literal, `$1` a parameter. */
  readonly dollarQuotes: boolean
  /** `@` is part of names; otherwise an operator. */
  readonly atInNames: boolean
}

/** MySQL and MariaDB as they come. With ANSI_QUOTES `"…"` would be a name; the wire does not tell, so it is redacted. */
export const MYSQL: SqlDialect = {
  backslashEscapes: true,
  doubleQuotes: 'literal',
  backticks: true,
  hashComments: true,
  dashesNeedSpace: true,
  executableComments: true,
  nestedComments: false,
  escapeStrings: false,
  dollarQuotes: false,
  atInNames: true,
}

/** The same while the server's status says SERVER_STATUS_NO_BACKSLASH_ESCAPES. */
export const MYSQL_NO_BACKSLASH_ESCAPES: SqlDialect = { ...MYSQL, backslashEscapes: false }

/** PostgreSQL with standard_conforming_strings, as it comes since 9.1. https://www.postgresql.org/docs/current/sql-syntax-lexical.html */
export const POSTGRESQL: SqlDialect = {
  backslashEscapes: false,
  doubleQuotes: 'identifier',
  backticks: false,
  hashComments: false,
  dashesNeedSpace: false,
  executableComments: false,
  nestedComments: true,
  escapeStrings: true,
  dollarQuotes: true,
  atInNames: false,
}

/** The same while the server's standard_conforming_strings is off. */
export const POSTGRESQL_BACKSLASH_ESCAPES: SqlDialect = { ...POSTGRESQL, backslashEscapes: true }
