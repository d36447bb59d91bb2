/** First byte of a command packet. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html */
export const Command = {
  quit: 0x01,
  initDb: 0x02,
  query: 0x03,
  fieldList: 0x04,
  statistics: 0x09,
  ping: 0x0e,
  changeUser: 0x11,
  binlogDump: 0x12,
  prepare: 0x16,
  execute: 0x17,
  sendLongData: 0x18,
  closeStatement: 0x19,
  resetStatement: 0x1a,
  fetch: 0x1c,
  binlogDumpGtid: 0x1e,
  resetConnection: 0x1f,
  /** MariaDB only. */
  bulkExecute: 0xfa,
} as const

/** What the server answers a command with. */
export const AnswerKind = {
  /** Nothing at all. */
  none: 0,
  /** One packet, whatever it holds. */
  single: 1,
  /** OK, ERR, a request for a local file, or a result set; perhaps several. */
  result: 2,
  /** Packets up to EOF. */
  rows: 3,
  /** A prepared statement with its definitions. */
  prepared: 4,
  /** Packets of an authentication, until OK or ERR. */
  authentication: 5,
  /** Never ends. */
  stream: 6,
} as const

export interface CommandKind {
  /** Span name where the statement gives none; `db.operation.name` too. */
  readonly name: string
  readonly answer: number
  /** Part of keeping a connection, not an operation that somebody waits for. */
  readonly housekeeping: boolean
  /** Payload bytes, the command byte included: what a packet of this kind must have. */
  readonly least: number
  readonly most: number
}

const ANY = Number.MAX_SAFE_INTEGER

/** By command byte; undefined: no such command. */
export const COMMANDS: readonly (CommandKind | undefined)[] = createTable()

function createTable(): (CommandKind | undefined)[] {
  const { none, single, result, rows, prepared, authentication, stream } = AnswerKind
  const table = new Array<CommandKind | undefined>(256).fill(undefined)
  const add = (byte: number, name: string, answer: number, least = 1, most = ANY, housekeeping = false): void => {
    table[byte] = { name, answer, housekeeping, least, most }
  }
  add(Command.quit, 'QUIT', none, 1, 1, true)
  add(Command.initDb, 'USE', single, 2, 1 + 64 * 4)
  add(Command.query, 'QUERY', result, 2)
  add(Command.fieldList, 'FIELD LIST', rows, 2, 1024)
  add(0x05, 'CREATE DATABASE', single, 2, 1024)
  add(0x06, 'DROP DATABASE', single, 2, 1024)
  add(0x07, 'REFRESH', single, 2, 2)
  add(0x08, 'SHUTDOWN', single, 1, 2)
  add(Command.statistics, 'STATISTICS', single, 1, 1)
  add(0x0a, 'PROCESS INFO', result, 1, 1)
  add(0x0c, 'KILL', single, 5, 5)
  add(0x0d, 'DEBUG', single, 1, 1)
  add(Command.ping, 'PING', single, 1, 1)
  add(Command.changeUser, 'CHANGE USER', authentication, 3, 65_536, true)
  add(Command.binlogDump, 'BINLOG DUMP', stream, 11, 1024, true)
  add(0x14, 'CONNECT OUT', single, 1, 1024, true)
  add(0x15, 'REGISTER SLAVE', single, 18, 4096, true)
  add(Command.prepare, 'PREPARE', prepared, 2)
  add(Command.execute, 'EXECUTE', result, 10)
  add(Command.sendLongData, 'SEND LONG DATA', none, 7, ANY, true)
  add(Command.closeStatement, 'CLOSE STATEMENT', none, 5, 5, true)
  add(Command.resetStatement, 'RESET STATEMENT', single, 5, 5, true)
  add(0x1b, 'SET OPTION', single, 3, 3, true)
  add(Command.fetch, 'FETCH', rows, 9, 9)
  add(Command.binlogDumpGtid, 'BINLOG DUMP', stream, 19, 65_536, true)
  add(Command.resetConnection, 'RESET CONNECTION', single, 1, 1, true)
  add(Command.bulkExecute, 'EXECUTE', result, 7)
  return table
}

/** The login, which is followed like a command. */
export const LOGIN: CommandKind = {
  name: 'LOGIN',
  answer: AnswerKind.authentication,
  housekeeping: true,
  least: 1,
  most: 65_536,
}
