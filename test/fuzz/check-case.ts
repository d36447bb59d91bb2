import assert, { AssertionError } from 'node:assert/strict'
import type { ProtocolModule } from '../../src/protocols/protocol.js'
import { type Call, recut, seeded, sizeOf } from '../protocols/conversation.js'
import { type Drive, type DriveOptions, drive, openDrive } from '../protocols/drive.js'
import type { Observation } from '../protocols/observation-recorder.js'
import { mutate } from './mutate.js'
import type { Seed } from './seeds.js'

export type Verdict = 'ok' | 'crash' | 'slow' | 'state'

export interface CaseResult {
  readonly verdict: Verdict
  /** What happened, with the stack of an exception. */
  readonly what: string
  readonly seed: string
  readonly mutations: readonly string[]
  readonly calls: readonly Call[]
  readonly options: DriveOptions
}

/** The longest that a case may take: far above what a busy machine and a collection of garbage explain. */
const SLOWEST_MILLIS = 400
const MILLIS_PER_KIBIBYTE = 2
const HEADS = [undefined, undefined, 0, 1, 16, 256, 1024]
/** How often a good conversation is shown after the mutant; by then it must be read again. */
const GOOD_AGAIN = 3
const MOST_PIECES = 256

/** Seeds, and what is known of them before the first case. */
export interface Corpus {
  readonly seeds: readonly Seed[]
  /** Those that are read when they are joined in the middle. */
  readonly recoverable: readonly RecoverableSeed[]
  readonly recoverableOf: ReadonlyMap<Seed, RecoverableSeed>
  /** By module. */
  readonly neighbours: ReadonlyMap<ProtocolModule, readonly Neighbour[]>
}

/** A seed that is read when it is joined in the middle, and how many exchanges `GOOD_AGAIN` times of it give. */
export interface RecoverableSeed {
  readonly seed: Seed
  readonly whole: readonly Call[]
  readonly expected: number
}

/** A good conversation on a connection of its own, and what is read of it when nothing else goes on. */
interface Neighbour {
  readonly seed: Seed
  readonly told: string
}

const LONGEST_NEIGHBOUR = 24

export function createCorpus(seeds: readonly Seed[]): Corpus {
  const recoverable = recoverableSeeds(seeds)
  const neighbours = new Map<ProtocolModule, Neighbour[]>()
  for (const seed of seeds) {
    if (seed.conversation.length > LONGEST_NEIGHBOUR) continue
    const known = neighbours.get(seed.module) ?? []
    known.push({
      seed,
      told: tell(drive(seed.module, seed.conversation, { joined: seed.joined, open: true }).observations),
    })
    neighbours.set(seed.module, known)
  }
  return { seeds, recoverable, recoverableOf: new Map(recoverable.map(each => [each.seed, each])), neighbours }
}

/**
 * Case number `index` of a run: which seed, what is done to it, how it is cut into calls and what of it is copied follow
 * from the run's seed and the index alone. Checked:
 *
 * - nothing is thrown; reports come in order, of bytes that have come, at the time at which they came;
 * - nothing stays open behind the end;
 * - the time is in proportion to the bytes;
 * - a good conversation on another connection, between whose calls the mutant's come, is read as if it were alone;
 * - behind the mutant and a gap (of what its reader passes anyway, and 2 GiB) good messages are read again on the
 *   same connection, unless the module has given it up.
 */
export function checkCase(corpus: Corpus, runSeed: number, index: number, clock: () => number): CaseResult {
  const { seeds } = corpus
  const random = seeded(Math.imul(runSeed, 0x9e37_79b1) ^ Math.imul(index + 1, 0x85eb_ca6b))
  const seed = seeds[random(seeds.length)]!
  const { calls: mutant, names } = mutate(seed, random, seeds)
  const pieces = random(3) === 0 ? recut(mutant, pieceLengths(sizeOf(mutant), random)) : mutant
  const lost = random(4) === 0 ? new Set([random(Math.max(1, pieces.length))]) : undefined
  const head = HEADS[random(HEADS.length)]
  const tail = head === undefined || random(2) === 0 ? undefined : 64
  const options: DriveOptions = {
    joined: seed.joined || random(4) === 0,
    ...(lost && { lost }),
    ...(head !== undefined && { head }),
    ...(tail !== undefined && { tail }),
  }
  const known = corpus.neighbours.get(seed.module) ?? []
  const neighbour = random(4) === 0 ? known[random(Math.max(1, known.length))] : undefined
  const again = random(3) === 0 ? corpus.recoverableOf.get(seed) : undefined
  const result = (verdict: Verdict, what: string): CaseResult => {
    return { verdict, what, seed: seed.name, mutations: names, calls: pieces, options }
  }
  try {
    const allowed = SLOWEST_MILLIS + (MILLIS_PER_KIBIBYTE * sizeOf(pieces)) / 1024
    let millis = Number.POSITIVE_INFINITY
    // What was slow once may have waited for the processor; what is slow three times is slow.
    for (let attempt = 0; attempt < 3 && millis > allowed; attempt++) {
      const began = clock()
      runCase(seed.module, pieces, options, neighbour, again)
      millis = clock() - began
    }
    if (millis > allowed) return result('slow', `${millis.toFixed(0)} ms for ${sizeOf(pieces)} bytes`)
    return result('ok', '')
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return result(error instanceof AssertionError ? 'state' : 'crash', stack)
  }
}

/** Small pieces, but not so many of a long conversation that it takes the time of a hundred others. */
function pieceLengths(bytes: number, random: (limit: number) => number): () => number {
  const longest = 48 + Math.floor(bytes / MOST_PIECES)
  return () => 1 + random(longest)
}

function runCase(
  module: ProtocolModule,
  calls: readonly Call[],
  options: DriveOptions,
  neighbour: Neighbour | undefined,
  again: RecoverableSeed | undefined,
): void {
  const mutant = openDrive(module, options)
  const beside = neighbour && openDrive(neighbour.seed.module, { joined: neighbour.seed.joined })
  const good = neighbour?.seed.conversation ?? []
  for (let index = 0; index < Math.max(calls.length, good.length); index++) {
    if (index < calls.length && !mutant.connection.failed) {
      mutant.call(calls[index]!, options.lost?.has(index) ? 'lost' : undefined)
    }
    if (index < good.length) beside?.call(good[index]!)
  }
  if (beside !== undefined) {
    assert.equal(tell(beside.observations), neighbour?.told, `${neighbour?.seed.name}, beside a mutant`)
  }
  if (again !== undefined && !calls.some(({ eof }) => eof === true)) readAgain(mutant, again)
  mutant.close()
}

/** What is lost behind a mutant: more than the longest message that any module but HTTP believes in. */
const GAP = 2 ** 31
/** Lengths beyond this are believed by some modules (HTTP's bodies), and can be passed by nobody. */
const PASSABLE = 2 ** 48

function readAgain(mutant: Drive, { seed, whole, expected }: RecoverableSeed): void {
  // A log, replication, ciphertext: nothing more can be told of it.
  if (mutant.connection.wants?.countOnly === true) return
  for (const sender of ['client', 'server'] as const) {
    if (mutant.owed(sender) > PASSABLE) return
    mutant.lose(sender, GAP)
    if (mutant.owed(sender) > PASSABLE) return
    // What stood before the gap may have told of a message that reaches beyond it.
    if (mutant.owed(sender) > 0) mutant.lose(sender, 1)
  }
  const before = mutant.observations.filter(({ end }) => end !== undefined).length
  for (const call of repeat(whole, GOOD_AGAIN + 1)) mutant.call(call, 'whole')
  const read = mutant.observations.filter(({ end }) => end !== undefined).length - before
  const { failed } = mutant.connection
  assert.ok(failed || read > 0, `${seed.name}: nothing is read behind a mutant and a gap; ${expected} exchanges alone`)
}

/** All that a module said of a conversation, in one string. */
function tell(observations: readonly Observation[]): string {
  return observations
    .map(
      ({ exchange, begin, requestEnd, responseBegin, end, abandoned }) =>
        `${exchange.name} ${begin} ${requestEnd} ${responseBegin} ${end} ${abandoned} ${exchange.clientError} ` +
        `${JSON.stringify(exchange.attributes)} ${JSON.stringify(exchange.contentKeys)}`,
    )
    .join('\n')
}

/** Seeds that a reader which joined in the middle cannot read (a handshake of its own, an upgrade) tell nothing. */
function recoverableSeeds(seeds: readonly Seed[]): RecoverableSeed[] {
  return seeds.flatMap(seed => {
    const whole = seed.conversation.filter(({ eof }) => eof !== true)
    const { observations, failed } = drive(seed.module, repeat(whole, GOOD_AGAIN), { joined: true })
    const expected = observations.filter(({ end }) => end !== undefined).length
    return failed || expected < GOOD_AGAIN ? [] : [{ seed, whole, expected }]
  })
}

/**
 * Whether good messages are read again after a hole: some calls of the conversation are lost altogether, then the whole
 * of it comes again, several times. Holes have known lengths, so framing can always be found again.
 */
export function checkRecovery(recoverable: RecoverableSeed, runSeed: number, index: number): CaseResult | undefined {
  const { seed, whole, expected } = recoverable
  const random = seeded(Math.imul(runSeed, 0xc2b2_ae35) ^ (index + 7))
  const calls = repeat(whole, GOOD_AGAIN + 1)
  const lost = new Set([random(whole.length), random(whole.length)])
  const { observations, failed } = drive(seed.module, calls, { joined: true, lost })
  const read = observations.filter(({ end }) => end !== undefined).length
  if (failed || read > 0) return undefined
  return {
    verdict: 'state',
    what: `nothing is read after a hole; ${expected} exchanges without one`,
    seed: seed.name,
    mutations: [`calls ${[...lost].join(', ')} lost`],
    calls,
    options: { joined: true, lost },
  }
}

function repeat(conversation: readonly Call[], times: number): Call[] {
  return Array.from({ length: times }, () => conversation).flat()
}
