import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputStream } from '../../src/protocols/input-stream.js'
import type {
  Attributes,
  ContentKey,
  Exchange,
  ProtocolConnection,
  ProtocolModule,
  Sender,
} from '../../src/protocols/protocol.js'
import type { RouteTemplates } from '../../src/protocols/route-templates.js'
import { type Counters, createCounters } from '../../src/telemetry/counters.js'

/** One socket call of a recorded conversation. A string stands for its latin-1 bytes. */
export interface Call {
  readonly sender: Sender
  readonly bytes: Uint8Array
  /** The sender closes its direction after this call. */
  readonly eof?: boolean
}

export const client = (bytes: Uint8Array | string, eof = false): Call => ({
  sender: 'client',
  bytes: toBytes(bytes),
  eof,
})
export const server = (bytes: Uint8Array | string, eof = false): Call => ({
  sender: 'server',
  bytes: toBytes(bytes),
  eof,
})

const toBytes = (bytes: Uint8Array | string): Uint8Array =>
  typeof bytes === 'string' ? new Uint8Array(Buffer.from(bytes, 'latin1')) : bytes

/** What a module reported of one exchange. Offsets are those given to the sink. */
export interface Observation {
  readonly exchange: Exchange
  readonly begin: number
  /** `timeNs` of the initiator's stream when `begin` was reported. */
  readonly beginTimeNs: number
  requestEnd: number | undefined
  responseBegin: number | undefined
  end: number | undefined
  abandoned: boolean
}

/** What a case expects of one exchange. Only the fields given are compared; `attributes` is a subset, too. */
export interface ExpectedExchange {
  readonly name?: string
  readonly initiator?: Sender
  readonly shape?: Exchange['shape']
  readonly attributes?: Attributes
  /** Attribute keys that must not be there. */
  readonly without?: readonly string[]
  readonly clientError?: string | undefined
  readonly serverError?: string | undefined
  readonly contentKeys?: readonly ContentKey[]
  readonly truncated?: boolean
  readonly housekeeping?: boolean
  readonly requestBodyBytes?: number | undefined
  readonly responseBodyBytes?: number | undefined
  readonly begin?: number
  readonly requestEnd?: number | undefined
  readonly responseBegin?: number | undefined
  readonly end?: number | undefined
  readonly abandoned?: boolean
  /** The answer ends with the connection, so a connection that is cut looks complete. */
  readonly endsAtEof?: boolean
}

export interface CodecCase {
  readonly name: string
  readonly conversation: readonly Call[]
  /** In order of `begin`. */
  readonly expected: readonly ExpectedExchange[]
  /** The connection is met in mid-life. */
  readonly joined?: boolean
  /** What `failed` must be at the end. Default false. */
  readonly failed?: boolean
}

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
 * for what was not copied, read; push the tail, read; settle. A call that was lost is
 * noticed when its sender's next one comes. An end of file sets `ended` and reads once more. Calls
 * after `failed` are not given to the module. The buffer that held a call is overwritten after `settle`.
 *
 * Reports of the module are checked for order and plausibility on the way; a violation throws an AssertionError.
 */
export function drive(module: ProtocolModule, conversation: readonly Call[], options: DriveOptions = {}): DriveResult {
  const counters = options.counters ?? createCounters()
  const streams = { client: new CheckedStream(), server: new CheckedStream() }
  streams.client.position = options.positions?.client ?? 0
  streams.server.position = options.positions?.server ?? 0
  const moved = { client: streams.client.position, server: streams.server.position }
  /** When each direction's bytes came: offsets of calls and their times, ascending. */
  const arrivals = { client: [] as [number, number][], server: [] as [number, number][] }
  const recorder = createRecorder(streams, moved, arrivals)
  const connection = module.open({
    sink: recorder.sink,
    counters,
    joined: options.joined ?? false,
    routes: options.routes ?? verbatimRoutes,
  })
  const unseen = { client: 0, server: 0 }
  let timeNs = 0
  for (const [index, call] of conversation.entries()) {
    if (connection.failed) break
    timeNs += CALL_GAP_NS
    const stream = streams[call.sender]
    arrivals[call.sender].push([moved[call.sender], timeNs])
    moved[call.sender] += call.bytes.length
    if (options.lost?.has(index)) {
      unseen[call.sender] += call.bytes.length
      continue
    }
    const head = Math.min(call.bytes.length, options.head ?? call.bytes.length)
    const tail = Math.min(call.bytes.length - head, options.tail ?? 0)
    // Sits amid other bytes, as a call's bytes do in a batch of events.
    const batch = new Uint8Array(call.bytes.length + 16).fill(0xaa)
    batch.set(call.bytes, 8)
    const read = (): void => {
      if (!connection.failed) connection.read(call.sender, stream)
    }
    if (unseen[call.sender] > 0) {
      stream.pushHole(unseen[call.sender], timeNs)
      unseen[call.sender] = 0
      read()
    }
    if (head > 0) {
      stream.push(batch, 8, 8 + head, timeNs)
      read()
    }
    const hole = call.bytes.length - head - tail
    if (hole > 0) {
      stream.pushHole(hole, timeNs)
      read()
    }
    if (tail > 0) {
      stream.push(batch, 8 + head + hole, 8 + call.bytes.length, timeNs)
      read()
    }
    stream.settle()
    batch.fill(0x55)
    if (call.eof) {
      stream.ended = true
      read()
      stream.settle()
    }
  }
  if (!options.open) {
    connection.close()
    for (const observation of recorder.observations) {
      assert.ok(observation.end !== undefined || observation.abandoned, `${observation.exchange.name} is left open`)
    }
  }
  return { observations: recorder.observations, failed: connection.failed, counters, connection }
}

type BothSenders<T> = { client: T; server: T }

function createRecorder(
  streams: BothSenders<InputStream>,
  moved: BothSenders<number>,
  arrivals: BothSenders<[number, number][]>,
) {
  const observations: Observation[] = []
  const open = new Map<Exchange, Observation>()
  const find = (exchange: Exchange, what: string): Observation => {
    const found = open.get(exchange)
    assert.ok(found, `${what} of an exchange that is not open: ${exchange.name}`)
    return found
  }
  const arrivalOf = (sender: Sender, offset: number): number => {
    let time = Number.NaN
    for (const [start, timeNs] of arrivals[sender]) if (start <= offset) time = timeNs
    return time
  }
  const answerer = (exchange: Exchange): Sender => (exchange.initiator === 'client' ? 'server' : 'client')
  return {
    observations,
    sink: {
      begin(exchange: Exchange, offset: number): void {
        assert.ok(!open.has(exchange) && !observations.some(o => o.exchange === exchange), 'begin twice')
        assert.ok(offset >= 0 && offset <= moved[exchange.initiator], `begin at ${offset}, which has not come yet`)
        const beginTimeNs = streams[exchange.initiator].timeNs
        const came = arrivalOf(exchange.initiator, offset)
        assert.equal(beginTimeNs, came, `${exchange.name} begins with the call that brought its first byte`)
        const observation: Observation = {
          exchange,
          begin: offset,
          beginTimeNs,
          requestEnd: undefined,
          responseBegin: undefined,
          end: undefined,
          abandoned: false,
        }
        observations.push(observation)
        open.set(exchange, observation)
      },
      requestEnd(exchange: Exchange, offset: number): void {
        const observation = find(exchange, 'requestEnd')
        assert.equal(observation.requestEnd, undefined, 'requestEnd twice')
        assert.ok(offset >= observation.begin && offset <= moved[exchange.initiator], `requestEnd at ${offset}`)
        observation.requestEnd = offset
      },
      responseBegin(exchange: Exchange, offset: number): void {
        const observation = find(exchange, 'responseBegin')
        assert.equal(observation.responseBegin, undefined, 'responseBegin twice')
        assert.ok(offset >= 0 && offset <= moved[answerer(exchange)], `responseBegin at ${offset}`)
        observation.responseBegin = offset
      },
      end(exchange: Exchange, offset: number): void {
        const observation = find(exchange, 'end')
        assert.ok(offset >= (observation.responseBegin ?? 0), `end at ${offset}, before its response`)
        assert.ok(offset <= Math.max(moved.client, moved.server), `end at ${offset}, which has not come yet`)
        observation.end = offset
        open.delete(exchange)
      },
      abandon(exchange: Exchange): void {
        find(exchange, 'abandon').abandoned = true
        open.delete(exchange)
      },
    },
  }
}

/** The conversation as other calls that move the same bytes in the same order. */
export function recut(conversation: readonly Call[], lengths: () => number): Call[] {
  const calls: Call[] = []
  for (const call of conversation) {
    if (call.bytes.length === 0) calls.push(call)
    for (let at = 0; at < call.bytes.length; ) {
      const next = Math.min(call.bytes.length, at + Math.max(1, lengths()))
      calls.push({
        sender: call.sender,
        bytes: call.bytes.subarray(at, next),
        eof: call.eof === true && next === call.bytes.length,
      })
      at = next
    }
  }
  return calls
}

/** Neighbouring calls of one sender as one call. */
export function merge(conversation: readonly Call[]): Call[] {
  const calls: Call[] = []
  for (const call of conversation) {
    const last = calls.at(-1)
    if (last !== undefined && last.sender === call.sender && !last.eof) {
      calls[calls.length - 1] = { ...call, bytes: Buffer.concat([last.bytes, call.bytes]) }
    } else {
      calls.push(call)
    }
  }
  return calls
}

/** The first `count` bytes of the conversation, in the order they were moved. */
export function prefix(conversation: readonly Call[], count: number): Call[] {
  const calls: Call[] = []
  for (const call of conversation) {
    if (count <= 0) break
    calls.push(call.bytes.length <= count ? call : { sender: call.sender, bytes: call.bytes.subarray(0, count) })
    count -= call.bytes.length
  }
  return calls
}

/** A small repeatable generator: integers from 0 to below `limit`. */
export function seeded(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return limit => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

export const sizeOf = (conversation: readonly Call[]): number =>
  conversation.reduce((sum, call) => sum + call.bytes.length, 0)

const MUTANTS = [0, 1, 0x7f, 0x80, 0xff]
const COPY_HEADS = [0, 1, 5, 16, 64, 200, 512]
const MOST_PREFIXES = 400
const MOST_MUTATIONS = 400
const MOST_JOINS = 100

/**
 * Cases live in `<protocol>-cases.ts`, which exports `module` and `cases`, so that `detection.test.ts` can show every
 * protocol's bytes to every other module; `<protocol>.test.ts` hands them to this function.
 *
 * Registers, for every case, the tests that no parser may bypass: the same result however the bytes are cut into
 * calls; and no exception, no false completion and no unbounded reporting for prefixes, mutations, holes and joins.
 */
export function runCodecCases(name: string, module: ProtocolModule, cases: readonly CodecCase[]): void {
  for (const codecCase of cases) {
    const title = `${name}: ${codecCase.name}`
    const { conversation } = codecCase
    const joined = codecCase.joined ?? false
    test(`${title}, one chunk a call`, () => expectCase(module, codecCase, conversation))
    test(`${title}, calls merged`, () => expectCase(module, codecCase, merge(conversation)))
    test(`${title}, byte by byte`, () =>
      expectCase(
        module,
        codecCase,
        recut(conversation, () => 1),
      ))
    test(`${title}, in random pieces`, () => {
      for (const seed of [1, 2, 3, 4, 5]) {
        const random = seeded(seed)
        expectCase(
          module,
          codecCase,
          recut(merge(conversation), () => 1 + random(seed * 13)),
        )
      }
    })
    test(`${title}, cut short`, () => checkPrefixes(module, codecCase))
    test(`${title}, mutated`, () => checkMutations(module, codecCase))
    test(`${title}, with holes`, () => checkHoles(module, codecCase))
    test(`${title}, with lost calls`, () => {
      for (let index = 0; index < Math.min(conversation.length, MOST_JOINS); index++) {
        checkBounded(conversation, drive(module, conversation, { joined, lost: new Set([index]) }))
      }
    })
    test(`${title}, joined in the middle`, () => checkJoins(module, codecCase))
  }
}

function expectCase(module: ProtocolModule, codecCase: CodecCase, conversation: readonly Call[]): void {
  const result = drive(module, conversation, { joined: codecCase.joined ?? false })
  const names = result.observations.map(observation => observation.exchange.name)
  assert.equal(result.observations.length, codecCase.expected.length, `exchanges: ${names.join(', ')}`)
  for (const [index, expected] of codecCase.expected.entries()) {
    expectExchange(result.observations[index]!, expected, `exchange ${index}`)
  }
  assert.equal(result.failed, codecCase.failed ?? false, 'failed')
}

/** Compares the fields that `expected` names. */
export function expectExchange(observation: Observation, expected: ExpectedExchange, what = 'exchange'): void {
  const { exchange } = observation
  const fields = ['name', 'initiator', 'shape', 'clientError', 'serverError', 'truncated', 'housekeeping'] as const
  for (const field of fields) {
    if (field in expected) assert.equal(exchange[field], expected[field], `${what}: ${field}`)
  }
  for (const field of ['requestBodyBytes', 'responseBodyBytes'] as const) {
    if (field in expected) assert.equal(exchange[field], expected[field], `${what}: ${field}`)
  }
  for (const field of ['begin', 'requestEnd', 'responseBegin', 'end', 'abandoned'] as const) {
    if (field in expected) assert.equal(observation[field], expected[field], `${what}: ${field}`)
  }
  if (expected.contentKeys !== undefined) assert.deepEqual(exchange.contentKeys, expected.contentKeys, `${what}: keys`)
  for (const [key, value] of Object.entries(expected.attributes ?? {})) {
    assert.equal(exchange.attributes[key], value, `${what}: ${key}`)
  }
  for (const key of expected.without ?? []) assert.equal(exchange.attributes[key], undefined, `${what}: ${key}`)
}

function checkBounded(conversation: readonly Call[], result: DriveResult): void {
  const bytes = sizeOf(conversation)
  assert.ok(result.observations.length <= bytes + 1, `${result.observations.length} exchanges of ${bytes} bytes`)
}

/** At most `most` of 0…count-1: the first and last ones and an even spread between. */
function spread(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, index) => index)
  const picked = new Set<number>()
  for (let index = 0; index < most; index++) picked.add(Math.floor((index * (count - 1)) / (most - 1)))
  return [...picked]
}

function checkPrefixes(module: ProtocolModule, codecCase: CodecCase): void {
  const { conversation, expected } = codecCase
  const joined = codecCase.joined ?? false
  const whole = drive(module, conversation, { joined })
  for (const count of spread(sizeOf(conversation), MOST_PREFIXES)) {
    const cut = prefix(conversation, count)
    const sent = { client: 0, server: 0 }
    for (const call of cut) sent[call.sender] += call.bytes.length
    const result = drive(module, cut, { joined })
    checkBounded(cut, result)
    for (const [index, observation] of result.observations.entries()) {
      if (observation.end === undefined || observation.exchange.truncated || expected[index]?.endsAtEof) continue
      const full = whole.observations[index]
      assert.ok(full, `after ${count} bytes: ${observation.exchange.name} is no exchange of the whole`)
      assert.equal(observation.begin, full.begin, `after ${count} bytes: begin of exchange ${index}`)
      assert.equal(observation.end, full.end, `after ${count} bytes: end of exchange ${index} came too early`)
    }
  }
}

function checkMutations(module: ProtocolModule, codecCase: CodecCase): void {
  const { conversation } = codecCase
  const joined = codecCase.joined ?? false
  const places = conversation.flatMap((call, index) => Array.from(call.bytes, (_, at) => [index, at] as const))
  for (const place of spread(places.length, MOST_MUTATIONS)) {
    const [index, at] = places[place]!
    for (const mutant of MUTANTS) {
      const call = conversation[index]!
      const bytes = Uint8Array.from(call.bytes)
      bytes[at] = mutant
      const mutated = conversation.with(index, { ...call, bytes })
      checkBounded(mutated, drive(module, mutated, { joined }))
    }
  }
}

function checkHoles(module: ProtocolModule, codecCase: CodecCase): void {
  const { conversation } = codecCase
  const joined = codecCase.joined ?? false
  const whole = drive(module, conversation, { joined })
  const nameAt = new Map(whole.observations.map(o => [`${o.exchange.initiator} ${o.begin}`, o.exchange.name]))
  for (const head of COPY_HEADS) {
    for (const tail of [0, 16]) {
      const result = drive(module, conversation, { joined, head, tail })
      checkBounded(conversation, result)
      for (const { exchange, begin, end } of result.observations) {
        if (end === undefined || exchange.truncated) continue
        const place = `${exchange.initiator} ${begin}`
        assert.equal(exchange.name, nameAt.get(place), `head ${head}, tail ${tail}: what begins at ${place}`)
      }
    }
  }
}

function checkJoins(module: ProtocolModule, codecCase: CodecCase): void {
  const { conversation } = codecCase
  const begins = new Set(
    drive(module, conversation, { joined: codecCase.joined ?? false }).observations.map(
      o => `${o.exchange.initiator} ${o.begin}`,
    ),
  )
  const positions = { client: 0, server: 0 }
  for (const [index, call] of conversation.entries()) {
    const rest = conversation.slice(index)
    for (const { exchange, begin, end } of drive(module, rest, { joined: true, positions }).observations) {
      if (end === undefined || exchange.truncated) continue
      const place = `${exchange.initiator} ${begin}`
      assert.ok(begins.has(place), `joined at call ${index}: ${exchange.name} at ${place} is no exchange of the whole`)
    }
    for (const at of spread(call.bytes.length, Math.ceil(MOST_JOINS / conversation.length))) {
      const inside = { client: positions.client, server: positions.server }
      inside[call.sender] += at
      const calls = [{ ...call, bytes: call.bytes.subarray(at) }, ...rest.slice(1)]
      checkBounded(rest, drive(module, calls, { joined: true, positions: inside }))
    }
    positions[call.sender] += call.bytes.length
  }
}
