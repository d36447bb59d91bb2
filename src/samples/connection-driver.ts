import type { Connection } from '../capture/connection.js'
import { decodeConnection } from '../capture/connection-record.js'
import { EventFlag, Op, TASK } from '../capture/event-layout.js'
import type { EventHandler, EventReader } from '../capture/event-reader.js'
import type { CaptureControl } from '../capture/event-source.js'
import type { ProcessInfo } from '../capture/process-info.js'
import { commOf } from '../capture/process-record.js'
import type { ObservedProcess, Processes } from '../capture/processes.js'
import type { ProtocolModule, Sender } from '../protocols/protocol.js'
import type { RouteTemplates } from '../protocols/route-templates.js'
import type { Counters } from '../telemetry/counters.js'
import { type Carriers, UNKNOWN_CARRIER, unknownActivity } from './carriers.js'
import { ConnectionState } from './connection-state.js'
import { type CopyWishes, createCopyWishes } from './copy-wishes.js'
import { createDatagrams, type Datagrams } from './datagrams.js'
import { runsLoop } from './event-loop.js'
import { recogniseProtocol, roleShownBy } from './recognition.js'
import type { SampleRecorder } from './sample-recorder.js'
import { createUnixPairs } from './unix-pairs.js'

const TWO_32 = 4_294_967_296

/** Calls of which no module understood a byte before the connection is left alone. */
const BOUNDED_LOOK = 8
/** … and of one that was joined in the middle, where a long body may have to pass first. */
const BOUNDED_LOOK_JOINED = 64

export interface ConnectionDriverOptions {
  readonly modules: readonly ProtocolModule[]
  readonly processes: Processes
  readonly carriers: Carriers
  readonly recorder: SampleRecorder
  readonly control: CaptureControl
  readonly counters: Counters
  /** Route templates of the service that listens at an endpoint ('address:port'). */
  readonly routes: (endpoint: string) => RouteTemplates
  readonly processEnded?: (process: ObservedProcess, timeNs: number) => void
  /** Most connections followed at once; beyond it the one longest known is given up. */
  readonly connectionLimit?: number
}

/**
 * The one place that drives connections: records in, chunks to the module that fits, exchanges out to the recorder.
 */
export class ConnectionDriver implements EventHandler {
  readonly #options: ConnectionDriverOptions
  readonly #states = new Map<number, ConnectionState>()
  readonly #limit: number
  readonly #copies: CopyWishes
  readonly #unixPairs = createUnixPairs()
  readonly #datagrams: Datagrams
  #lossEpoch = 0
  readonly #orphans
  readonly #holes
  readonly #unreadable
  readonly #evicted
  readonly #unknownCarriers

  constructor(options: ConnectionDriverOptions) {
    this.#options = options
    this.#copies = createCopyWishes(options.control)
    this.#limit = options.connectionLimit ?? 200_000
    this.#datagrams = createDatagrams({
      ...options,
      leaveAlone: state => this.#leaveAlone(state),
      ask: (state, wants) => this.#copies.ask(state, wants),
      forget: state => this.#forgetSocket(state),
    })
    this.#orphans = options.counters.counter('samples.data.unknown_connection')
    this.#holes = options.counters.counter('samples.bytes.not_seen')
    this.#unreadable = options.counters.counter('samples.connections.unrecognised')
    this.#unknownCarriers = options.counters.counter('samples.context.carrier_unknown')
    this.#evicted = options.counters.counter('samples.connections.evicted')
  }

  get openConnections(): number {
    return this.#states.size
  }

  data(record: EventReader): void {
    const state = this.#states.get(record.connection)
    if (state === undefined) {
      this.#orphans.value++
      return
    }
    if (record.lossEpoch !== this.#lossEpoch) this.#lostSome(record.lossEpoch)
    if (record.length < 0) return
    this.#settleCarrier(record)
    if (record.op === Op.receive) this.#followLoop(state, record)
    if (state.opaque) return
    if (state.connection.transport === 'udp') {
      this.#datagrams.read(state, record)
      return
    }
    const isSend = record.op === Op.send
    if (state.connection.role === 'unknown' && !this.#findRole(state, record)) return
    if (state.connection.roleGuessed && state.module === undefined) this.#checkRole(state, record)
    const sender: Sender = isSend === (state.connection.role === 'client') ? 'client' : 'server'
    if (!this.#place(state, sender, record)) return
    const stream = state.stream(sender)
    if ((record.flags & EventFlag.eof) !== 0 || record.length === 0) {
      stream.ended = true
      if (state.protocol !== undefined) this.#read(state, sender)
      return
    }
    const { reports } = state
    this.#push(state, sender, record)
    const isRequest = !isSend && state.connection.role === 'server'
    if (isRequest && state.reports === reports && !state.opaque && !state.readingRequest) {
      this.#options.carriers.unknownRead(this.#options.processes.get(record.pid), record.tid, record.carrier)
    }
  }

  connection(record: EventReader): void {
    if (record.lossEpoch !== this.#lossEpoch) this.#lostSome(record.lossEpoch)
    this.#settleCarrier(record)
    const process = this.#options.processes.get(record.pid)
    const known = this.#states.get(record.connection)
    const connection = decodeConnection(record, process)
    if (known !== undefined) {
      // A socket without a beginning and an end, which has been quiet.
      if (known.connection.transport === 'udp') return
      this.#toldAgain(known, connection)
      return
    }
    if (this.#states.size >= this.#limit) this.#evict()
    const state = new ConnectionState(connection, this.#options.recorder)
    if (record.op === Op.connect) {
      state.connectActivity = this.#options.carriers.connecting(process, record.tid, record.carrier, record.timeNs)
      state.connectTid = record.tid
    } else if (this.#lossEpoch > 0 && isUnusedClient(connection)) {
      // Its connect may have been lost: for whom it was opened is not known, and who writes first need not be the same.
      // (Where nothing has been lost it is a pool's, opened before the capture and not used until now.)
      state.connectActivity = unknownActivity('lost')
      state.connectTid = record.tid
    }
    if (connection.role === 'unknown' && process.info?.listens.includes(connection.local.port) === true) {
      connection.role = 'server'
    }
    this.#states.set(connection.id, state)
    if (connection.transport === 'udp') this.#datagrams.opened(state, record.timeNs)
    this.#pair(state)
  }

  #forgetSocket(state: ConnectionState): void {
    this.#states.delete(state.connection.id)
    state.close()
  }

  /** Connect, then its first bytes; or a Unix peer that was accepted late: what is known now is more. */
  #toldAgain(state: ConnectionState, newer: Connection): void {
    const { connection } = state
    const { role, keyLow, keyHigh, ownsLow, remoteIdentity } = connection
    Object.assign(connection, newer, {
      role: state.module === undefined && newer.role !== 'unknown' ? newer.role : role,
    })
    if (newer.keyHigh === 0) Object.assign(connection, { keyLow, keyHigh, ownsLow, remoteIdentity })
    else if (keyHigh === 0) state.keyed()
    this.#pair(state)
  }

  close(record: EventReader): void {
    const state = this.#states.get(record.connection)
    if (state === undefined) return
    this.#states.delete(record.connection)
    if (state.connection.transport === 'unix') this.#unixPairs.forget(state)
    state.close()
  }

  #lostSome(epoch: number): void {
    this.#lossEpoch = epoch
    this.#options.carriers.lossEpoch(epoch)
  }

  #pair(state: ConnectionState): void {
    if (state.connection.transport !== 'unix') return
    for (const each of this.#unixPairs.told(state)) each.keyed()
  }

  process(record: EventReader): void {
    const { processes, carriers } = this.#options
    if (record.op === Op.fork) processes.forked(record.pid, commOf(record))
    else if (record.op === Op.exec) processes.replaced(record.pid, commOf(record))
    else {
      carriers.ended(record.tid)
      if (record.tid !== record.pid) return
      const ended = processes.ended(record.pid, record.timeNs)
      if (ended !== undefined) this.#options.processEnded?.(ended, record.timeNs)
    }
  }

  taskBirth(record: EventReader): void {
    if (record.lossEpoch !== this.#lossEpoch) this.#lostSome(record.lossEpoch)
    this.#settleCarrier(record)
    const { processes, carriers } = this.#options
    const process = processes.get(record.pid)
    const child = record.u64(TASK.task)
    const isThread = (record.flags & EventFlag.thread) !== 0
    if (isThread) carriers.threadBorn(process, record.tid, record.carrier, child, record.timeNs)
    else carriers.born(process, record.tid, record.carrier, child, record.timeNs)
  }

  /** What an event loop does next follows from this read, whether it is understood or not. */
  #followLoop(state: ConnectionState, { pid, tid }: EventReader): void {
    const process = this.#options.processes.get(pid)
    if (runsLoop(process)) this.#options.carriers.loopRead(process, tid, state.reading?.activity)
  }

  /** Where a process has carriers and the record does not say which one it was, it must not pass for the thread's. */
  #settleCarrier(record: EventReader): void {
    if ((record.flags & EventFlag.carrier) !== 0) return
    if (this.#options.processes.get(record.pid).info?.carriers === undefined) return
    record.carrier = UNKNOWN_CARRIER
    this.#unknownCarriers.value++
  }

  text(record: EventReader, json: string): void {
    let value: unknown
    try {
      value = JSON.parse(json)
    } catch {
      this.#options.counters.add('capture.records.malformed')
      return
    }
    if (record.op === Op.processInfo) this.#options.processes.describe(record.pid, value as ProcessInfo)
    else {
      const { cause, count } = value as { cause?: unknown; count?: unknown }
      if (typeof cause === 'string' && typeof count === 'number')
        this.#options.counters.add(`capture.lost.${cause}`, count)
    }
  }

  /** The capture is over: what is open is given up. */
  finish(): void {
    for (const state of this.#states.values()) state.close()
    this.#states.clear()
  }

  /**
   * The near end of this connection to a leaf is watched, which is enough: its far end is left to the kernel's counters
   * from now on, and so are those of further connections to the same port.
   */
  farEndIsSeen({ id }: Connection): void {
    const state = this.#states.get(id)
    if (state === undefined || state.opaque) return
    state.opaque = true
    this.#copies.countOnly(state)
    state.close()
    this.#copies.countOnlyAtPort(state)
  }

  /** Puts the record at its place in the stream: a jump forward is a hole, bytes that were seen before are left out. */
  #place(state: ConnectionState, sender: Sender, record: EventReader): boolean {
    const stream = state.stream(sender)
    const started = sender === 'client' ? state.clientStarted : state.serverStarted
    const expected = stream.position + stream.available + stream.hole
    if (!started) {
      if (sender === 'client') state.clientStarted = true
      else state.serverStarted = true
      stream.position = record.position
      if (record.position !== 0) state.joined = true
      return true
    }
    const ahead = (record.position - (expected % TWO_32)) | 0
    if (ahead === 0) return true
    if (ahead > 0) {
      this.#holes.value += ahead
      stream.pushHole(ahead, record.timeNs)
      if (state.protocol !== undefined) this.#read(state, sender)
      return true
    }
    // Told twice (two threads on one socket): only what is new counts, and it cannot be cut out of the copy.
    return false
  }

  #push(state: ConnectionState, sender: Sender, record: EventReader): void {
    const stream = state.stream(sender)
    const copied = record.headLength + record.tailLength
    const hole = record.length - copied
    const head = record.payload
    const tail = head + record.headLength
    if (record.headLength > 0) {
      stream.push(record.bytes, head, tail, record.timeNs)
      this.#read(state, sender)
    }
    if (hole > 0) {
      stream.pushHole(hole, record.timeNs)
      if (record.headLength > 0 || record.tailLength === 0) this.#read(state, sender)
    }
    if (record.tailLength > 0) {
      stream.push(record.bytes, tail, tail + record.tailLength, record.timeNs)
      this.#read(state, sender)
    }
    stream.settle()
  }

  #read(state: ConnectionState, sender: Sender): void {
    const { position } = state.stream(sender)
    if (state.protocol === undefined) {
      if (!this.#recognise(state, sender)) return
    } else {
      state.protocol.read(sender, state.stream(sender))
    }
    const { protocol } = state
    if (protocol === undefined) return
    if (protocol.failed) this.#restart(state, sender, state.stream(sender).position !== position)
    else if (protocol.wants !== undefined && protocol.wants !== state.wants) this.#copies.askMore(state, protocol.wants)
  }

  #recognise(state: ConnectionState, sender: Sender): boolean {
    const stream = state.stream(sender)
    if (stream.available === 0) {
      stream.resume()
      return false
    }
    const found = recogniseProtocol(this.#options.modules, stream, sender)
    if (found === 'wait') return false
    if (found === undefined) {
      stream.resume()
      const bound = state.joined ? BOUNDED_LOOK_JOINED : BOUNDED_LOOK
      if (++state.unrecognised >= bound) this.#leaveAlone(state)
      return false
    }
    this.#adopt(state, found)
    // What the other side said before nobody knew the protocol is read first, if it was said first.
    const other: Sender = sender === 'client' ? 'server' : 'client'
    const held = state.stream(other)
    const otherFirst = held.available > 0 && held.timeNs < stream.timeNs
    if (otherFirst) state.protocol!.read(other, held)
    state.protocol!.read(sender, stream)
    if (held.available > 0 && !otherFirst) state.protocol!.read(other, held)
    return true
  }

  #adopt(state: ConnectionState, module: ProtocolModule): void {
    const { counters, routes } = this.#options
    const { connection } = state
    const server = connection.role === 'client' ? connection.remote : connection.local
    state.module = module
    state.unrecognised = 0
    state.protocol = module.open({
      sink: state,
      counters,
      joined: state.joined,
      routes: routes(`${server.address}:${server.port}`),
    })
    counters.add(`samples.connections.${module.name}`)
    this.#copies.askAlsoOfPort(state, module.wants)
  }

  /**
   * The module has given the connection up: look at it anew, a bounded number of times. Where it had read something
   * (an answer that switches protocols), what stands behind that is the new protocol's.
   */
  #restart(state: ConnectionState, sender: Sender, hasRead: boolean): void {
    state.protocol?.close()
    state.protocol = undefined
    state.module = undefined
    state.stream(sender === 'client' ? 'server' : 'client').resume()
    if (!hasRead) state.stream(sender).resume()
    this.#options.counters.add('samples.connections.changed_protocol')
    if (++state.restarts >= BOUNDED_LOOK) this.#leaveAlone(state)
    else if (hasRead && state.stream(sender).available > 0) this.#read(state, sender)
  }

  #leaveAlone(state: ConnectionState): void {
    state.opaque = true
    this.#unreadable.value++
    this.#copies.countOnly(state)
  }

  /** A connection whose opener is not known: the first bytes that some protocol recognises tell who sends them. */
  #findRole(state: ConnectionState, record: EventReader): boolean {
    const role = roleShownBy(this.#options.modules, record)
    if (role !== undefined) {
      state.connection.role = role
      return true
    }
    if (++state.unrecognised >= BOUNDED_LOOK_JOINED) this.#leaveAlone(state)
    return false
  }

  /** The ports are a guess: the first bytes that some protocol recognises confirm it, or turn it round. */
  #checkRole(state: ConnectionState, record: EventReader): void {
    const role = roleShownBy(this.#options.modules, record)
    if (role === undefined) return
    state.connection.roleGuessed = false
    if (role !== state.connection.role) state.turnRound()
  }

  #evict(): void {
    const oldest = this.#states.entries().next().value
    if (oldest === undefined) return
    this.#states.delete(oldest[0])
    this.#evicted.value++
    this.#unixPairs.forget(oldest[1])
    oldest[1].close()
  }
}

/** Opened by this end, and nothing had moved on it before. */
function isUnusedClient({ role, transport, midlife }: Connection): boolean {
  return role === 'client' && transport === 'tcp' && !midlife
}
