/** Severity of a message. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What a message is about: the room, and whatever helps. Values are shown as they are; no secrets. */
export interface LogFields {
  readonly component: string
  readonly [name: string]: unknown
}

export interface Logger {
  /** Ask before a message that is costly to build. */
  isOn(level: LogLevel): boolean
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** Tells of warnings and errors that were held back because they repeat, now. */
  flush(): void
}

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: 'text' | 'json'
  /** Takes one line, with its end. */
  readonly write: (line: string) => void
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The same warning or error is told once in this time, with how often it came. Default 60,000 ms. */
  readonly repeatMillis?: number
}

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }
const DEFAULT_REPEAT_MILLIS = 60_000
/** Most different messages that are watched for repeats; then the one watched longest is let go. */
const MOST_WATCHED = 500

interface Watched {
  readonly level: LogLevel
  fields: LogFields
  readonly message: string
  toldMillis: number
  heldBack: number
}

/** Messages for the operator, a line each. */
export function createLogger(options: LoggerOptions): Logger {
  const { format, now } = options
  const repeatMillis = options.repeatMillis ?? DEFAULT_REPEAT_MILLIS
  const watched = new Map<string, Watched>()
  const isOn = (level: LogLevel): boolean => ORDER[level] >= ORDER[options.level]
  const tell = (level: LogLevel, fields: LogFields, message: string): void => {
    options.write(format === 'json' ? jsonLine(now(), level, fields, message) : textLine(now(), level, fields, message))
  }
  const tellHeldBack = (entry: Watched): void => {
    const { level, fields, message, heldBack } = entry
    if (heldBack > 0) tell(level, { ...fields, repeated: heldBack }, message)
    entry.heldBack = 0
    entry.toldMillis = now()
  }
  const tellSparingly = (level: LogLevel, fields: LogFields, message: string): void => {
    if (!isOn(level)) return
    const key = `${level}\0${fields.component}\0${message}`
    const known = watched.get(key)
    if (known === undefined) {
      if (watched.size >= MOST_WATCHED) letGoOfOldest()
      watched.set(key, { level, fields, message, toldMillis: now(), heldBack: 0 })
      tell(level, fields, message)
      return
    }
    known.fields = fields
    known.heldBack++
    if (now() - known.toldMillis >= repeatMillis) tellHeldBack(known)
  }
  const letGoOfOldest = (): void => {
    const [key, entry] = watched.entries().next().value!
    tellHeldBack(entry)
    watched.delete(key)
  }
  return {
    isOn,
    debug: (fields, message) => {
      if (isOn('debug')) tell('debug', fields, message)
    },
    info: (fields, message) => {
      if (isOn('info')) tell('info', fields, message)
    },
    warn: (fields, message) => tellSparingly('warn', fields, message),
    error: (fields, message) => tellSparingly('error', fields, message),
    flush: () => {
      for (const entry of watched.values()) tellHeldBack(entry)
    },
  }
}

function jsonLine(millis: number, level: LogLevel, fields: LogFields, message: string): string {
  return `${JSON.stringify({ time: new Date(millis).toISOString(), level, message, ...fields })}\n`
}

function textLine(millis: number, level: LogLevel, fields: LogFields, message: string): string {
  const { component, ...rest } = fields
  const more = Object.entries(rest).map(([name, value]) => ` ${name}=${valueText(value)}`)
  return `${new Date(millis).toISOString()} ${level.padEnd(5)} ${component}: ${oneLine(message)}${more.join('')}\n`
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
  return /[\s"]/.test(text) ? JSON.stringify(text) : oneLine(text)
}

/** What comes from elsewhere (an error of a server) must not look like lines or colours of ours. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' | ').replaceAll(/[\u0000-\u001f\u007f]/g, '?')
}
