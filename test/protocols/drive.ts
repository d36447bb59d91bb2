import assert from 'node:assert/strict'
import { InputStream } from '../../src/protocols/input-stream.js'
import type { ProtocolConnection, ProtocolModule, Sender } from '../../src/protocols/protocol.js'
import type { RouteTemplates } from '../../src/protocols/route-templates.js'
import { type Counters, createCounters } from '../../src/telemetry/counters.js'
import type { Call } from './conversation.js'
import { type Observation, ObservationRecorder, type Traffic } from './observation-recorder.js'

export interface DriveOptions {
  readonly joined?: boolean
  readonly routes?: RouteTemplates
  readonly counters?: Counters
  /** Bytes that are copied from the head and tail of each call; default all. */
  readonly head?: number
  readonly tail?: number
  /** Offsets in the streams at which the first calls begin. */
  readonly positions?: { readonly client: number; readonly server: number }
  /** Calls (by index) that are lost altogether. */
  readonly lost?: ReadonlySet<number>
  /** Leave out the final `close`. */
  readonly open?: boolean
}

export interface DriveResult {
  readonly observations: Observation[]
  readonly failed: boolean
  readonly counters: Counters
  readonly connection: ProtocolConnection
}

/** Paths as they are: for cases that are not about routes. */
export const verbatimRoutes: RouteTemplates = { template: path => path }

/** An InputStream that refuses what a reader must not do. */
class CheckedStream extends InputStream {
  override consume(count: number): void {
    const isAllowed = Number.isInteger(count) && count >= 0 && count <= this.available
    if (!isAllowed) assert.fail(`consume(${count}) of ${this.available}`)
    super.consume(count)
  }

  override skip(count: number): void {
    if (!Number.isSafeInteger(count) || count < 0) assert.fail(`skip(${count})`)
    super.skip(count)
  }
}

const CALL_GAP_NS = 1000

/** A connection that is driven call by call. */
export interface Drive {
  readonly observations: Observation[]
  readonly connection: ProtocolConnection
  readonly counters: Counters
  /** `whole`: all of it is copied, whatever the options say. */
  call(call: Call, how?: 'lost' | 'whole'): void
  /** Bytes of a direction are lost: as many as its reader passes anyway, and `more`. */
  lose(sender: Sender, more: number): void
  /** Bytes that the reader of a direction passes before it reads again. */
  owed(sender: Sender): number
  close(): void
}

/**
 * One connection of a module, driven as the production driver does, for every call: push the head, read; pushHole
 * for what was not copied, read; push the tail, read; settle. A call that was lost is noticed when its sender's next
 * one comes. An end of file sets `ended` and reads once more. Calls after `failed` are not given to the module. The
 * buffer that held a call is overwritten after `settle`.
 *
 * Reports of the module are checked for order and plausibility on the way; a violation throws an AssertionError.
 */
export function openDrive(module: ProtocolModule, options: DriveOptions = {}): Drive {
  const counters = options.counters ?? createCounters()
  const traffic = {
    client: startTraffic(options.positions?.client ?? 0),
    server: startTraffic(options.positions?.server ?? 0),
  }
  const recorder = new ObservationRecorder(traffic)
  const connection = module.open({
    sink: recorder,
    counters,
    joined: options.joined ?? false,
    routes: options.routes ?? verbatimRoutes,
  })
  let timeNs = 0
  const moves = ({ arrivals, moved }: Direction): void => {
    timeNs += CALL_GAP_NS
    arrivals.offsets.push(moved)
    arrivals.times.push(timeNs)
  }
  return {
    observations: recorder.observations,
    connection,
    counters,
    call: (call, how) => {
      if (connection.failed) return
      const direction = traffic[call.sender]
      moves(direction)
      direction.moved += call.bytes.length
      if (how === 'lost') direction.unseen += call.bytes.length
      else deliver(connection, call, direction, timeNs, how === 'whole' ? {} : options)
    },
    lose: (sender, more) => {
      if (connection.failed) return
      const direction = traffic[sender]
      moves(direction)
      const { unseen } = direction
      const count = unseen + direction.stream.owed + more
      direction.unseen = 0
      direction.moved += count - unseen
      direction.stream.pushHole(count, timeNs)
      connection.read(sender, direction.stream)
      direction.stream.settle()
    },
    owed: sender => traffic[sender].stream.owed,
    close: () => {
      connection.close()
      recorder.checkClosed()
    },
  }
}

/** The whole conversation through one connection of the module. */
export function drive(module: ProtocolModule, conversation: readonly Call[], options: DriveOptions = {}): DriveResult {
  const driven = openDrive(module, options)
  for (let index = 0; index < conversation.length && !driven.connection.failed; index++) {
    driven.call(conversation[index]!, options.lost?.has(index) ? 'lost' : undefined)
  }
  if (!options.open) driven.close()
  const { observations, connection, counters } = driven
  return { observations, failed: connection.failed, counters, connection }
}

/** `unseen`: bytes of lost calls that the next call will reveal. */
type Direction = Traffic & { unseen: number }

function startTraffic(position: number): Direction {
  const stream = new CheckedStream()
  stream.position = position
  return { stream, moved: position, arrivals: { offsets: [], times: [] }, unseen: 0 }
}

/** What all calls share, as they share a batch of events: a reader that keeps its bytes finds others there. */
let shared = new Uint8Array(65_536)
const MARGIN = 8

/** A call's bytes amid others, as in a batch of events. */
function batchWith(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  if (shared.length < length + 2 * MARGIN) shared = new Uint8Array(2 * length + 2 * MARGIN)
  shared.fill(0xaa, 0, MARGIN)
  shared.set(bytes, MARGIN)
  shared.fill(0xaa, MARGIN + length, length + 2 * MARGIN)
  return shared
}

function deliver(
  connection: ProtocolConnection,
  { sender, bytes, eof }: Call,
  direction: Direction,
  timeNs: number,
  options: DriveOptions,
): void {
  const { stream, unseen } = direction
  const { length } = bytes
  const head = Math.min(length, options.head ?? length)
  const tail = Math.min(length - head, options.tail ?? 0)
  const batch = batchWith(bytes)
  const read = (): void => {
    if (!connection.failed) connection.read(sender, stream)
  }
  const push = (start: number, count: number): void => {
    if (count === 0) return
    stream.push(batch, MARGIN + start, MARGIN + start + count, timeNs)
    read()
  }
  const pushHole = (count: number): void => {
    if (count === 0) return
    stream.pushHole(count, timeNs)
    read()
  }
  pushHole(unseen)
  direction.unseen = 0
  push(0, head)
  pushHole(length - head - tail)
  push(length - tail, tail)
  stream.settle()
  batch.fill(0x55, 0, length + 2 * MARGIN)
  if (eof === true) {
    stream.ended = true
    read()
    stream.settle()
  }
}
