import { AssertionError } from 'node:assert'
import { type Call, recut, seeded, sizeOf } from '../protocols/conversation.js'
import { type DriveOptions, drive } from '../protocols/drive.js'
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

/**
 * Case number `index` of a run: which seed, what is done to it, how it is cut into calls and what of it is copied follow
 * from the run's seed and the index alone. Checked: nothing is thrown; reports come in order and of bytes that have
 * come; nothing stays open; the time is in proportion to the bytes; of a conversation that the module reads when it is
 * joined in the middle, some part is read again after the mutant unless the module has given the connection up.
 */
export function checkCase(seeds: readonly Seed[], runSeed: number, index: number, clock: () => number): CaseResult {
  const random = seeded(Math.imul(runSeed, 0x9e37_79b1) ^ Math.imul(index + 1, 0x85eb_ca6b))
  const seed = seeds[random(seeds.length)]!
  const { calls: mutant, names } = mutate(seed, random, seeds)
  const pieces = random(3) === 0 ? recut(mutant, () => 1 + random(48)) : mutant
  const lost = random(4) === 0 ? new Set([random(Math.max(1, pieces.length))]) : undefined
  const head = HEADS[random(HEADS.length)]
  const tail = head === undefined || random(2) === 0 ? undefined : 64
  const options: DriveOptions = {
    joined: seed.joined || random(4) === 0,
    ...(lost && { lost }),
    ...(head !== undefined && { head }),
    ...(tail !== undefined && { tail }),
  }
  const result = (verdict: Verdict, what: string): CaseResult => {
    return { verdict, what, seed: seed.name, mutations: names, calls: pieces, options }
  }
  try {
    const allowed = SLOWEST_MILLIS + (MILLIS_PER_KIBIBYTE * sizeOf(pieces)) / 1024
    let millis = Number.POSITIVE_INFINITY
    // What was slow once may have waited for the processor; what is slow three times is slow.
    for (let attempt = 0; attempt < 3 && millis > allowed; attempt++) {
      const began = clock()
      drive(seed.module, pieces, options)
      millis = clock() - began
    }
    if (millis > allowed) return result('slow', `${millis.toFixed(0)} ms for ${sizeOf(pieces)} bytes`)
    return result('ok', '')
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return result(error instanceof AssertionError ? 'state' : 'crash', stack)
  }
}

/** A seed that is read when it is joined in the middle, and how many exchanges `GOOD_AGAIN` times of it give. */
export interface RecoverableSeed {
  readonly seed: Seed
  readonly whole: readonly Call[]
  readonly expected: number
}

/** Seeds that a reader which joined in the middle cannot read (a handshake of its own, an upgrade) tell nothing. */
export function recoverableSeeds(seeds: readonly Seed[]): RecoverableSeed[] {
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
