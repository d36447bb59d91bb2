import type { InputStream } from '../input-stream.js'
import type { ConnectionOptions, ExchangeSink, ProtocolConnection, Sender } from '../protocol.js'
import { SQL_LIMIT } from '../sql/redact.js'
import { Answer, endsResult, PEEK, Step, TERMINATOR } from './answer.js'
import { AnswerKind, COMMANDS, Command, LOGIN } from './commands.js'
import { HANDSHAKE_LIMIT, readGreeting, readLogin } from './handshake.js'
import { createOperation, failOperation, type Operation } from './operation.js'
import { FULL, HEADER, rowsEnd, uint24 } from './packets.js'
import { Session } from './session.js'

/** Commands whose answers are awaited at once; more are not pipelined by any client that is known. */
const MOST_PENDING = 256

/** Sequence number of an answer to a command whose last packet was not seen. */
const ANY = -1

const GREETING = 0
const AUTHENTICATING = 1
const COMMANDS_FLOW = 2
/** The client sends the contents of a file (LOAD DATA LOCAL). */
const FILE = 3

/** Payload of a packet that may stand where none is awaited without anything being wrong: EOF. */
const STRAY = 5

/** One MySQL connection: packets of both directions in, operations out. */
export class MysqlConnection implements ProtocolConnection {
  failed = false
  readonly #sink: ExchangeSink
  readonly #options: ConnectionOptions
  readonly #session = new Session()
  readonly #answer = new Answer()
  readonly #pending: Operation[] = []
  #phase: number

  /** The client's packet that is passed is continued by another. */
  #clientContinues = false
  #clientSequence = 0
  /** The request whose last bytes have not arrived. */
  #owedRequest: Operation | undefined

  #serverContinues = false
  /** Sequence number that the next packet of the answer must have; -1 between answers. */
  #serverSequence = -1
  /** The end of the answer is known and has not arrived. */
  #owedEnd = Step.more as number
  /** Packets of the answer were not seen; where, and when, its last bytes were. */
  #lost = false
  #lastSeen = 0
  #lastSeenNs = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#sink = options.sink
    this.#phase = options.joined ? COMMANDS_FLOW : GREETING
  }

  read(sender: Sender, stream: InputStream): void {
    if (this.failed || stream.skipping) return
    if (sender === 'client') this.#readClient(stream)
    else this.#readServer(stream)
  }

  close(): void {
    if (this.#lost) this.#endLost()
    for (const operation of this.#pending) this.#sink.abandon(operation)
    this.#pending.length = 0
  }

  #readClient(stream: InputStream): void {
    if (this.#owedRequest !== undefined && !this.#clientContinues) this.#requestEnd(this.#owedRequest, stream.position)
    while (!this.failed && !stream.skipping) {
      const { available } = stream
      if (available < HEADER) {
        if (stream.hole > 0) this.#loseClient(stream)
        return
      }
      const { bytes, start } = stream
      const length = uint24(bytes, start)
      const sequence = bytes[start + 3]!
      const understood = this.#clientContinues
        ? this.#continuation(stream, length, sequence)
        : this.#phase === FILE
          ? this.#filePacket(stream, length, sequence)
          : sequence === 0
            ? this.#commandPacket(stream, length)
            : this.#loginPacket(stream, length, sequence)
      if (!understood) return
    }
  }

  /** Each returns false when more bytes are needed, or none of those here can be read. */
  #continuation(stream: InputStream, length: number, sequence: number): boolean {
    this.#clientSequence = sequence
    this.#clientContinues = length === FULL
    const operation = this.#owedRequest
    if (operation !== undefined) operation.answerSequence = (sequence + 1) & 0xff
    stream.skip(HEADER + length)
    if (operation !== undefined && !this.#clientContinues && !stream.skipping) {
      this.#requestEnd(operation, stream.position)
    }
    return true
  }

  /** Up to an empty packet. */
  #filePacket(stream: InputStream, length: number, sequence: number): boolean {
    if (sequence !== ((this.#clientSequence + 1) & 0xff)) {
      // Packets in a hole; a command after it ends the file, whatever the server has said.
      return sequence === 0 ? this.#commandPacket(stream, length) : this.#loseClient(stream)
    }
    this.#clientSequence = sequence
    stream.skip(HEADER + length)
    if (length === 0) {
      this.#phase = COMMANDS_FLOW
      this.#serverSequence = (sequence + 1) & 0xff
    }
    return true
  }

  #loginPacket(stream: InputStream, length: number, sequence: number): boolean {
    if (this.#phase === COMMANDS_FLOW) {
      // Data of an authentication that COM_CHANGE_USER began, or nothing that can be placed.
      if (this.#pending[0]?.kind.answer !== AnswerKind.authentication) return this.#loseClient(stream)
    } else if (this.#phase === GREETING) {
      const looked = Math.min(length, HANDSHAKE_LIMIT)
      if (stream.available < HEADER + looked && stream.hole === 0) return false
      const hidden = stream.available < HEADER + looked
      const from = stream.start + HEADER
      const login = readLogin(stream.bytes, from, Math.min(stream.end, from + looked), length)
      if (login === undefined) return this.#loseClient(stream)
      if (login.startsTls) return this.#giveUp('tls')
      this.#session.loggedIn(login, hidden)
      this.#answer.deprecateEof = this.#session.deprecatesEof
      this.#phase = AUTHENTICATING
      const operation = createOperation(LOGIN, this.#session, undefined, login.database)
      operation.answerSequence = (sequence + 1) & 0xff
      operation.truncated = hidden
      this.#begin(operation, stream)
      stream.skip(HEADER + length)
      this.#requestSent(operation, stream)
      return true
    }
    // An answer to the server's question: the server goes on behind it.
    if (this.#serverSequence >= 0) this.#serverSequence = (sequence + 1) & 0xff
    stream.skip(HEADER + length)
    return true
  }

  #commandPacket(stream: InputStream, length: number): boolean {
    if (length === 0) return this.#loseClient(stream)
    if (stream.available === HEADER) return stream.hole > 0 ? this.#loseClient(stream) : false
    const { bytes, start } = stream
    const code = bytes[start + HEADER]!
    const kind = COMMANDS[code]
    if (kind === undefined || length < kind.least || length > kind.most) return this.#loseClient(stream)
    const wanted = code === Command.query || code === Command.prepare ? SQL_LIMIT : 512
    const looked = Math.min(length, wanted)
    const hidden = stream.available < HEADER + looked
    if (hidden && stream.hole === 0 && !stream.ended) return false
    this.#phase = COMMANDS_FLOW
    if (this.#lost) this.#endLost()
    this.#clientSequence = 0
    const end = Math.min(stream.end, start + HEADER + looked)
    const operation = this.#session.command(kind, bytes, start, end, length, hidden)
    this.#clientContinues = length === FULL
    if (kind.answer !== AnswerKind.none) {
      this.#begin(operation, stream)
      stream.skip(HEADER + length)
      this.#requestSent(operation, stream)
      return true
    }
    this.#sink.begin(operation, stream.position)
    stream.skip(HEADER + length)
    this.#sink.end(operation, stream.position)
    return true
  }

  #begin(operation: Operation, stream: InputStream): void {
    if (this.#pending.length >= MOST_PENDING) {
      this.#options.counters.add('protocols.mysql.pending.evicted')
      this.#sink.abandon(this.#pending.shift()!)
      this.#serverSequence = -1
    }
    this.#pending.push(operation)
    this.#sink.begin(operation, stream.position)
  }

  #requestSent(operation: Operation, stream: InputStream): void {
    if (this.#clientContinues || stream.skipping) this.#owedRequest = operation
    else this.#sink.requestEnd(operation, stream.position)
  }

  #requestEnd(operation: Operation, offset: number): void {
    this.#owedRequest = undefined
    if (!operation.answered) this.#sink.requestEnd(operation, offset)
  }

  /** Whatever is here cannot be read: the next command begins a call of its own. Always false. */
  #loseClient(stream: InputStream): false {
    this.#options.counters.add('protocols.mysql.resync')
    stream.resume()
    const operation = this.#owedRequest
    if (this.#clientContinues && operation !== undefined) {
      // A command of several packets, whose later headers were not copied.
      operation.truncated = true
      operation.answerSequence = ANY
      this.#requestEnd(operation, stream.position)
    }
    this.#clientContinues = false
    return false
  }

  #giveUp(why: string): false {
    this.#options.counters.add(`protocols.mysql.gave_up.${why}`)
    this.failed = true
    return false
  }

  #readServer(stream: InputStream): void {
    if (this.#owedEnd !== Step.more) this.#endAnswer(this.#owedEnd, stream.position)
    while (!this.failed && !stream.skipping) {
      if (this.#lost) {
        this.#seekEnd(stream)
        return
      }
      if (this.#serverSequence >= 0 && this.#answer.inRows) this.#passRows(stream)
      const { available } = stream
      if (available < HEADER) {
        if (stream.hole === 0) return
        this.#loseServer(stream)
        continue
      }
      const length = uint24(stream.bytes, stream.start)
      const sequence = stream.bytes[stream.start + 3]!
      if (this.#serverContinues) {
        this.#serverContinues = length === FULL
        this.#serverSequence = (sequence + 1) & 0xff
        stream.skip(HEADER + length)
        continue
      }
      const understood =
        this.#phase === GREETING && this.#pending.length === 0
          ? this.#greetingPacket(stream, length)
          : this.#answerPacket(stream, length, sequence)
      if (!understood) return
    }
  }

  #greetingPacket(stream: InputStream, length: number): boolean {
    const looked = Math.min(length, 256)
    if (stream.available < HEADER + looked && stream.hole === 0) return false
    const from = stream.start + HEADER
    const greeting = readGreeting(stream.bytes, from, Math.min(stream.end, from + looked))
    if (greeting !== undefined) this.#session.greeted(greeting)
    stream.skip(HEADER + length)
    return true
  }

  #answerPacket(stream: InputStream, length: number, sequence: number): boolean {
    const operation = this.#expected(sequence, stream)
    if (operation === undefined) {
      if (!this.#lost) this.#stray(stream, length)
      return true
    }
    if (!operation.answered) {
      operation.answered = true
      this.#sink.responseBegin(operation, stream.position)
    }
    const looked = Math.min(length, PEEK)
    const here = stream.available - HEADER
    if (here < looked) {
      if (stream.hole === 0) return false
      if (here === 0 && length > 0) {
        this.#loseServer(stream)
        return true
      }
    }
    const from = stream.start + HEADER
    const step = this.#answer.packet(stream.bytes, from, Math.min(stream.end, from + looked), length)
    this.#serverSequence = (sequence + 1) & 0xff
    this.#serverContinues = length === FULL
    stream.skip(HEADER + length)
    if (step === Step.done || step === Step.error) {
      if (stream.skipping) this.#owedEnd = step
      else this.#endAnswer(step, stream.position)
    } else if (step === Step.file) {
      this.#phase = FILE
      this.#clientSequence = sequence
    }
    return true
  }

  /** The operation that a packet with this sequence number answers; undefined: none, or the answer was lost. */
  #expected(sequence: number, stream: InputStream): Operation | undefined {
    const first = this.#pending[0]
    if (first === undefined) return undefined
    if (this.#serverSequence < 0) {
      if (sequence !== first.answerSequence && first.answerSequence !== ANY) return undefined
      this.#answer.begin(first.kind.answer)
      this.#serverSequence = sequence
      return first
    }
    if (sequence === this.#serverSequence || this.#phase === FILE) return first
    const next = this.#pending[1]
    if (next !== undefined && sequence === next.answerSequence) {
      // The answer before ended where nobody saw it.
      first.truncated = true
      this.#endAnswer(Step.lost, stream.position)
      return this.#expected(sequence, stream)
    }
    this.#loseServer(stream)
    return undefined
  }

  /**
   * A packet that answers nothing: the EOF behind a prepared statement's definitions, or the rest of an answer whose
   * command was not seen. Where an answer is awaited, its beginning has been missed.
   */
  #stray(stream: InputStream, length: number): void {
    if (length <= STRAY) stream.skip(HEADER + length)
    else if (this.#pending.length > 0) this.#loseServer(stream)
    else if (HEADER + length <= stream.available) stream.skip(HEADER + length)
    else stream.resume()
  }

  /** Rows whose first byte is here are passed without a look at the rest. */
  #passRows(stream: InputStream): void {
    const { bytes, start, end } = stream
    const [stop, sequence] = rowsEnd(bytes, start, end, this.#serverSequence)
    this.#serverSequence = sequence
    if (stop > start) stream.consume(stop - start)
  }

  #endAnswer(step: number, offset: number, timeNs?: number): void {
    this.#owedEnd = Step.more
    this.#serverSequence = -1
    const operation = this.#pending.shift()
    if (operation === undefined) return
    if (this.#owedRequest === operation) this.#owedRequest = undefined
    if (this.#phase === FILE) this.#phase = COMMANDS_FLOW
    if (step === Step.error) failOperation(operation, this.#answer.errorCode)
    else if (step === Step.done) {
      this.#session.succeeded(operation, this.#answer.statementId)
      this.#session.statusSeen(this.#answer.status)
    }
    if (timeNs === undefined) this.#sink.end(operation, offset)
    else this.#sink.end(operation, offset, timeNs)
    if (operation.kind === LOGIN) {
      this.#phase = COMMANDS_FLOW
      if (step === Step.done && this.#session.compresses) this.#giveUp('compressed')
    }
  }

  /** Packets of the answer lie in a hole. Its end is seen at the end of some call, or when the next command comes. */
  #loseServer(stream: InputStream): void {
    this.#serverContinues = false
    const operation = this.#pending[0]
    if (operation === undefined) {
      stream.resume()
      return
    }
    this.#options.counters.add('protocols.mysql.answer.not_followed')
    if (this.#pending.length > 1 && this.#serverSequence < 0 && stream.available === 0) {
      // Nobody pipelines and waits: what is in the hole answered all but the last, which is answered behind it.
      while (this.#pending.length > 1) this.#sink.abandon(this.#pending.shift()!)
      stream.resume()
      return
    }
    if (!operation.answered) {
      operation.answered = true
      this.#sink.responseBegin(operation, stream.position)
    }
    operation.truncated = true
    this.#lost = true
    this.#lastSeen = stream.position
    this.#lastSeenNs = stream.timeNs
  }

  #seekEnd(stream: InputStream): void {
    if (stream.hole > 0) stream.resume()
    else if (endsResult(stream.bytes, stream.start, stream.end)) {
      stream.consume(stream.available)
      this.#lost = false
      this.#endAnswer(Step.lost, stream.position)
      return
    } else if (stream.available >= TERMINATOR) stream.consume(stream.available - TERMINATOR + 1)
    this.#lastSeen = stream.position + stream.available
    this.#lastSeenNs = stream.timeNs
  }

  #endLost(): void {
    this.#lost = false
    this.#endAnswer(Step.lost, this.#lastSeen, this.#lastSeenNs)
  }
}
