import assert from 'node:assert/strict'
import { InputStream } from '../../src/protocols/input-stream.js'
import type { ProtocolConnection, ProtocolModule } from '../../src/protocols/protocol.js'
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
    assert.ok(
      Number.isInteger(count) && count >= 0 && count <= this.available,
      `consume(${count}) of ${this.available}`,
    )
    super.consume(count)
  }

  override skip(count: number): void {
    assert.ok(Number.isSafeInteger(count) && count >= 0, `skip(${count})`)
    super.skip(count)
  }
}

const CALL_GAP_NS = 1000

/**
 * Drives one connection through a module as the production driver does, for every call: push the head, read; pushHole
 * for what was not copied, read; push the tail, read; settle. A call that was lost is noticed when its sender's next
 * one comes. An end of file sets `ended` and reads once more. Calls after `failed` are not given to the module. The
 * buffer that held a call is overwritten after `settle`.
 *
 * Reports of the module are checked for order and plausibility on the way; a violation throws an AssertionError.
 */
export function drive(module: ProtocolModule, conversation: readonly Call[], options: DriveOptions = {}): DriveResult {
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
  for (const [index, call] of conversation.entries()) {
    if (connection.failed) break
    timeNs += CALL_GAP_NS
    const direction = traffic[call.sender]
    direction.arrivals.push([direction.moved, timeNs])
    direction.moved += call.bytes.length
    if (options.lost?.has(index)) direction.unseen += call.bytes.length
    else deliver(connection, call, direction, timeNs, options)
  }
  if (!options.open) {
    connection.close()
    recorder.checkClosed()
  }
  return { observations: recorder.observations, failed: connection.failed, counters, connection }
}

/** `unseen`: bytes of lost calls that the next call will reveal. */
type Direction = Traffic & { unseen: number }

function startTraffic(position: number): Direction {
  const stream = new CheckedStream()
  stream.position = position
  return { stream, moved: position, arrivals: [], unseen: 0 }
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
  // Sits amid other bytes, as a call's bytes do in a batch of events.
  const batch = new Uint8Array(length + 16).fill(0xaa)
  batch.set(bytes, 8)
  const read = (): void => {
    if (!connection.failed) connection.read(sender, stream)
  }
  const push = (start: number, count: number): void => {
    if (count === 0) return
    stream.push(batch, 8 + start, 8 + start + count, timeNs)
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
  batch.fill(0x55)
  if (eof === true) {
    stream.ended = true
    read()
    stream.settle()
  }
}
