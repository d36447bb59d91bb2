import { AnswerKind, COMMANDS, Command } from '../protocols/mysql/commands.js'
import { detect } from '../protocols/mysql/detect.js'
import { Capability } from '../protocols/mysql/handshake.js'
import { FULL, HEADER, uint24 } from '../protocols/mysql/packets.js'
import { looksLikeAttributes } from '../protocols/mysql/query-attributes.js'
import { maskQueryAttributes } from './mysql-attributes-mask.js'
import { ANY_SEQUENCE, type MysqlTalk, type Pending, Phase } from './mysql-talk.js'
import type { DirectionMask } from './protocol-mask.js'
import { MASKED, UNREAD } from './pseudonyms.js'
import { SqlMask } from './sql-mask.js'

/** Capabilities, largest packet, character set, filler: what precedes the user's name in a login. */
const LOGIN_FIXED = 32
/** One, or two behind a request for TLS. */
const LAST_LOGIN_SEQUENCE = 2
const LONGEST_LOGIN = 65_536
/** Payload bytes of commands that stay, the command byte included; of all others that byte alone. */
const KEPT = new Map<number, number>([
  [0x07, 2],
  [0x08, 2],
  [0x0c, 5],
  [0x1b, 3],
  [Command.execute, 10],
  [Command.bulkExecute, 7],
  [Command.sendLongData, 7],
  [Command.closeStatement, 5],
  [Command.resetStatement, 5],
  [Command.fetch, 9],
])

const LONGEST_LOOK = 256

/** What the payload of a packet is. */
const Holds = { nothing: 0, command: 1, login: 2 } as const
const Field = { user: 0, length: 1, secret: 2, database: 3, rest: 4 } as const

/** Commands with their statements, without what literals, parameters, users and passwords are. */
export class MysqlClientMask implements DirectionMask {
  readonly #talk: MysqlTalk
  readonly #sql = new SqlMask()
  #headerAt = 0
  #length = 0
  #sequence = 0
  /** Place in the payload. */
  #at = 0
  #lost: boolean
  #continues = false
  #pending: Pending | undefined
  #holds: number = Holds.nothing
  #command = 0
  #isText = false
  #hidden = false
  #capabilities = 0
  #field: number = Field.user
  #left = 0

  constructor(talk: MysqlTalk, lost: boolean) {
    this.#talk = talk
    this.#lost = lost
  }

  pass(bytes: Uint8Array, start: number, end: number): void {
    if (this.#lost && start < end && this.#findsPacket(bytes, start, end)) {
      this.#lost = false
      this.#headerAt = this.#at = 0
    }
    for (let i = start; i < end; ) {
      if (this.#lost) {
        bytes.fill(UNREAD, i, end)
        return
      }
      if (this.#headerAt < HEADER) {
        this.#inHeader(bytes[i++]!)
        continue
      }
      const stop = Math.min(end, i + this.#length - this.#at)
      this.#payload(bytes, i, stop)
      if (this.#lost) continue
      this.#at += stop - i
      i = stop
      if (this.#at === this.#length) this.#headerAt = 0
    }
  }

  hole(count: number): void {
    const left = this.#length - this.#at
    if (this.#lost || this.#headerAt < HEADER || count > left || (this.#at === 0 && this.#holds === Holds.command)) {
      this.#lose()
      return
    }
    this.#hidden = true
    this.#at += count
    if (this.#at === this.#length) this.#headerAt = 0
  }

  #findsPacket(bytes: Uint8Array, start: number, end: number): boolean {
    if (beginsCommand(bytes, start, end)) return true
    // A step of an authentication, of which only the length is shown.
    return this.#talk.phase === Phase.authenticating && uint24(bytes, start) === end - start - HEADER
  }

  #inHeader(byte: number): void {
    if (this.#headerAt === 0) this.#length = 0
    if (this.#headerAt < 3) this.#length |= byte << (8 * this.#headerAt)
    else this.#sequence = byte
    if (++this.#headerAt < HEADER) return
    this.#at = 0
    this.#hidden = false
    this.#beginPayload()
    if (this.#length === 0) this.#headerAt = 0
  }

  #beginPayload(): void {
    const talk = this.#talk
    this.#holds = Holds.nothing
    if (this.#continues) {
      this.#continues = this.#length === FULL
      if (this.#pending !== undefined) this.#pending.answerSequence = (this.#sequence + 1) & 0xff
    } else if (talk.phase === Phase.file && this.#sequence === ((talk.clientSequence + 1) & 0xff)) {
      talk.clientSequence = this.#sequence
      if (this.#length > 0) return
      talk.phase = Phase.commands
      talk.serverSequence = (this.#sequence + 1) & 0xff
    } else if (this.#sequence === 0) {
      this.#holds = Holds.command
      if (this.#length === 0) this.#lose()
    } else if (talk.phase === Phase.greeting) {
      if (this.#sequence > LAST_LOGIN_SEQUENCE || this.#length > LONGEST_LOGIN) {
        this.#lose()
        return
      }
      this.#holds = Holds.login
      this.#field = Field.user
      this.#capabilities = 0
      this.#pending = talk.sent(AnswerKind.authentication, (this.#sequence + 1) & 0xff, true)
      talk.phase = Phase.authenticating
    } else if (talk.phase === Phase.commands && talk.pending[0]?.kind !== AnswerKind.authentication) this.#lose()
    else if (talk.serverSequence >= 0) talk.serverSequence = (this.#sequence + 1) & 0xff
  }

  #payload(bytes: Uint8Array, i: number, stop: number): void {
    if (this.#holds === Holds.login) {
      for (let at = this.#at; i < stop; i++, at++) bytes[i] = this.#inLogin(bytes[i]!, at)
    } else if (this.#holds === Holds.command) this.#inCommand(bytes, i, stop)
    else bytes.fill(MASKED, i, stop)
  }

  #inLogin(byte: number, at: number): number {
    if (at < 4) this.#capabilities |= byte << (8 * at)
    const isOld = (this.#capabilities & Capability.protocol41) === 0
    if (at < LOGIN_FIXED) {
      if (at === LOGIN_FIXED - 1 || at === this.#length - 1) this.#talk.loggedIn(this.#capabilities)
      return isOld && at >= 2 ? MASKED : byte
    }
    if (this.#hidden || isOld) return MASKED
    const secret = Capability.encodedAuthData | Capability.secureConnection
    switch (this.#field) {
      case Field.user:
        if (byte === 0) this.#field = (this.#capabilities & secret) === 0 ? Field.secret : Field.length
        this.#left = -1
        return byte === 0 ? 0 : MASKED
      case Field.length:
        return this.#inSecretLength(byte)
      case Field.secret:
        if (this.#left > 0 ? --this.#left === 0 : byte === 0) this.#field = this.#afterSecret()
        return byte === 0 && this.#left < 0 ? 0 : MASKED
      case Field.database:
        if (byte === 0) this.#field = Field.rest
        return byte
      default:
        return MASKED
    }
  }

  /** A longer one than 250 bytes has its length in more bytes: then nothing more can be kept. */
  #inSecretLength(byte: number): number {
    this.#left = byte
    if (byte > 0xfa && (this.#capabilities & Capability.encodedAuthData) !== 0) this.#field = Field.rest
    else this.#field = byte === 0 ? this.#afterSecret() : Field.secret
    return byte
  }

  #afterSecret(): number {
    return (this.#capabilities & Capability.connectWithDb) === 0 ? Field.rest : Field.database
  }

  #inCommand(bytes: Uint8Array, i: number, stop: number): void {
    if (this.#at === 0) {
      if (!this.#beginCommand(bytes[i]!)) return
      if (++i === stop) return
    }
    if (this.#hidden) bytes.fill(MASKED, i, stop)
    else if (this.#command === Command.query || this.#command === Command.prepare) this.#inStatement(bytes, i, stop)
    else if (this.#command === Command.changeUser) this.#inChangeUser(bytes, i, stop)
    else if (this.#command !== Command.initDb) {
      const kept = KEPT.get(this.#command) ?? 1
      const from = i + Math.max(0, kept - Math.max(1, this.#at))
      if (from < stop) bytes.fill(MASKED, from, stop)
    }
  }

  /** False if there is no such command. */
  #beginCommand(code: number): boolean {
    const kind = COMMANDS[code]
    const talk = this.#talk
    if (kind === undefined || this.#length < kind.least || this.#length > kind.most) {
      this.#lose()
      return false
    }
    if (talk.lost) {
      talk.lost = false
      talk.ended(-1)
    }
    talk.phase = Phase.commands
    talk.clientSequence = 0
    this.#command = code
    this.#isText = false
    this.#field = Field.user
    this.#continues = this.#length === FULL
    this.#pending = talk.sent(kind.answer, 1)
    this.#sql.begin(talk.dialect)
    return true
  }

  /** Attributes that are not there as a whole hide where the text begins. */
  #inStatement(bytes: Uint8Array, i: number, stop: number): void {
    if (!this.#isText) {
      this.#isText = true
      // No text begins with a byte like this.
      const mayHave = this.#command === Command.query && (this.#talk.hasAttributes ?? bytes[i]! < 9)
      if (mayHave) {
        const textStart = maskQueryAttributes(bytes, i, stop)
        this.#hidden = textStart < 0
        // Their number stays, so that nobody takes them for a text.
        if (!this.#hidden) i = textStart
        else if (looksLikeAttributes(bytes, i, stop)) i += 2
      }
    }
    if (this.#hidden) bytes.fill(MASKED, i, stop)
    else this.#sql.pass(bytes, i, stop)
  }

  /** user NUL, length and authentication data, database NUL */
  #inChangeUser(bytes: Uint8Array, i: number, stop: number): void {
    for (; i < stop; i++) {
      const byte = bytes[i]!
      if (this.#field === Field.user) {
        if (byte === 0) this.#field = Field.length
        else bytes[i] = MASKED
      } else if (this.#field === Field.length) {
        this.#left = byte
        this.#field = byte === 0 ? Field.database : Field.secret
      } else if (this.#field === Field.database) {
        if (byte === 0) this.#field = Field.rest
      } else {
        if (this.#field === Field.secret && --this.#left === 0) this.#field = Field.database
        bytes[i] = MASKED
      }
    }
  }

  /** Whatever comes cannot be read: the next command begins a call of its own. */
  #lose(): void {
    this.#lost = true
    this.#headerAt = 0
    if (this.#continues && this.#pending !== undefined) this.#pending.answerSequence = ANY_SEQUENCE
    this.#continues = false
  }
}

/** Whether a call begins with a command: where the place was lost, nothing is shown if no more than its length fits. */
function beginsCommand(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < HEADER || bytes[start + 3] !== 0) return false
  const length = uint24(bytes, start)
  // Its reader takes the header first.
  if (end - start === HEADER) return length > 0 && length <= 0xffff
  const code = bytes[start + HEADER]!
  if (code === Command.query || code === Command.prepare) {
    const { match, sender } = detect(bytes, start, Math.min(end, start + LONGEST_LOOK))
    if (match === 'yes' && sender === 'client') return true
    return length === end - start - HEADER && looksLikeAttributes(bytes, start + HEADER + 1, end)
  }
  const kind = COMMANDS[code]
  return kind !== undefined && length >= kind.least && length <= Math.min(kind.most, end - start - HEADER)
}
