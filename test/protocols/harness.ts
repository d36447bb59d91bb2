import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attributes, ContentKey, Exchange, ProtocolModule, Sender } from '../../src/protocols/protocol.js'
import { type Call, merge, prefix, recut, seeded, sizeOf } from './conversation.js'
import { type DriveResult, drive } from './drive.js'
import type { Observation } from './observation-recorder.js'

export { type Call, client, merge, prefix, recut, seeded, server, sizeOf } from './conversation.js'
export { type DriveOptions, type DriveResult, drive, verbatimRoutes } from './drive.js'
export type { Observation } from './observation-recorder.js'

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
