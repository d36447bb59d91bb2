import { ServerError } from './server-error.js'

/**
 * What a reader may ask. The embedded engine has no users, and its `readonly = 1` is not enough: measured with 26.7 it
 * lets through INTO OUTFILE (writes a file), the scalar function file() (reads any file), s3() (calls out), SYSTEM,
 * KILL and BACKUP. So a reader's statement must begin with a reading keyword and must not mention any of these, not
 * even inside a string: no attempt is made to lex SQL exactly as the engine does, which a hostile text could exploit.
 */
const READS = /^(?:\s|\/\*[\s\S]*?\*\/|--[^\n]*\n|\()*(?:SELECT|WITH|SHOW|DESCRIBE|DESC|EXPLAIN|EXISTS)\b/i
const BETWEEN = String.raw`(?:\s|/\*[\s\S]*?\*/|--[^\n]*\n|#[^\n]*\n)*`
const OUTFILE = /\bOUTFILE\b/i
const SECOND_STATEMENT = /;[\s\S]*\b(?:SYSTEM|KILL|BACKUP|RESTORE|SET|USE|CREATE|INSERT|ALTER|DROP|ATTACH|DETACH)\b/i
/** A quoted name may hold escapes, so that its letters cannot be judged; nobody needs to quote a function's name. */
const QUOTED_CALL = new RegExp(`["\`]${BETWEEN}\\(`)
/** Functions that reach files, other hosts or other programs. */
const REACHING = new RegExp(
  String.raw`\b(?:file\w*|url\w*|s3\w*|gcs|oss|cosn|hdfs\w*|azure\w*|iceberg\w*|deltaLake\w*|hudi\w*|paimon\w*|remote\w*|` +
    String.raw`cluster\w*|mysql|postgresql|mongodb|redis|sqlite|odbc|jdbc|executable|ytsaurus|arrow\w*|eval\w*|fuzz\w*|prometheus\w*|` +
    String.raw`input|dictionary|mergeTree\w*|ai\w*|catboost\w*|sleep\w*|demangle|addressTo\w*)` +
    BETWEEN +
    String.raw`\(`,
  'i',
)
const SETTING =
  /^(?:max_\w+|output_format_\w+|date_time_\w+|join_\w+|use_\w+|optimize_\w+|group_by_\w+|result_overflow_mode|timeout_overflow_mode|session_timezone|asterisk_\w+|limit|offset|extremes)$/
const UNSAFE_SETTING = /_(?:schema|path|file)$/

/** Throws ServerError 164 (READONLY) for a statement that a reader must not run. */
export function guardReaderStatement(sql: string): void {
  if (!READS.test(sql)) refuse('only SELECT, WITH, SHOW, DESCRIBE, EXPLAIN and EXISTS are allowed')
  if (OUTFILE.test(sql)) refuse('INTO OUTFILE is not allowed')
  if (SECOND_STATEMENT.test(sql)) refuse('one statement a request')
  if (QUOTED_CALL.test(sql)) refuse('a quoted name before a parenthesis is not allowed')
  const reaching = REACHING.exec(sql)
  if (reaching !== null) refuse(`functions that reach beyond the archive are not allowed: ${reaching[0].slice(0, 40)}`)
}

/** Throws ServerError 164 for a setting that a reader must not change. */
export function guardReaderSetting(name: string): void {
  if (!SETTING.test(name) || UNSAFE_SETTING.test(name)) refuse(`the setting ${name} cannot be changed by a reader`)
}

function refuse(why: string): never {
  throw new ServerError(164, 'READONLY', `Cannot execute query in readonly mode: ${why}.`)
}
