import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkByTime, type TimeSample } from '../../src/correlate/time/link-by-time.js'
import { linkStreamByTime } from '../../src/correlate/time/link-stream-by-time.js'
import { createSeededRandom } from '../../src/correlate/time/seeded-random.js'
import { judged, madeUpTraffic, type PlannedCall, type Traffic } from '../support/made-up-traffic.js'

const SEQUENCE: readonly PlannedCall[] = [
  { kind: 'db SELECT', stage: 0, takes: 2_000 },
  { kind: 'cache GET', stage: 1, takes: 500 },
  { kind: 'stock GET /', stage: 2, takes: 3_000 },
]
const PARALLEL: readonly PlannedCall[] = [
  { kind: 'db SELECT', stage: 0, takes: 2_000 },
  { kind: 'stock GET /', stage: 0, takes: 3_000 },
  { kind: 'mail POST /', stage: 1, takes: 1_500 },
]

type Linked = Pick<ReturnType<typeof linkByTime>, 'candidates'>
const chosen =
  (linked: Linked) =>
  (sample: number): number =>
    linked.candidates[sample]![0]!.parent
const score = (traffic: Traffic, linked: Linked): ReturnType<typeof judged> => judged(traffic, chosen(linked))

test('Calls in a sequence are linked to their requests, of which two to three are open at any time', () => {
  const traffic = madeUpTraffic({ seed: 1, requests: 400, every: 2_500, plan: SEQUENCE })
  const { recall, links } = score(traffic, linkByTime(traffic.samples))
  assert.equal(links, 1_200)
  assert.ok(recall >= 0.97, `recall ${recall}`)
})

test('Calls made side by side are linked', () => {
  const traffic = madeUpTraffic({ seed: 2, requests: 400, every: 2_500, plan: PARALLEL })
  const { recall } = score(traffic, linkByTime(traffic.samples))
  assert.ok(recall >= 0.95, `recall ${recall}`)
})

test('A call that only some requests make goes to those that make it', () => {
  const plan: PlannedCall[] = [SEQUENCE[0]!, { kind: 'audit POST /', stage: 1, takes: 1_500, share: 0.4 }, SEQUENCE[1]!]
  const traffic = madeUpTraffic({ seed: 3, requests: 400, every: 2_500, plan })
  const { recall } = score(traffic, linkByTime(traffic.samples))
  assert.ok(recall >= 0.95, `recall ${recall}`)
})

test('A call that is made several times in a request stays with it each time', () => {
  const plan: PlannedCall[] = [{ kind: 'db SELECT', stage: 0, takes: 1_000, times: 4 }, SEQUENCE[2]!]
  const traffic = madeUpTraffic({ seed: 4, requests: 300, every: 12_000, plan })
  const { recall } = score(traffic, linkByTime(traffic.samples))
  assert.ok(recall >= 0.95, `recall ${recall}`)
})

test('Replicas of a service share what is learned, but no calls', () => {
  const traffic = madeUpTraffic({ seed: 5, requests: 400, every: 800, plan: SEQUENCE, replicas: 4 })
  const linked = linkByTime(traffic.samples)
  const { recall } = score(traffic, linked)
  assert.ok(recall >= 0.95, `recall ${recall}`)
  traffic.samples.forEach((sample, index) => {
    for (const { parent } of linked.candidates[index] ?? []) {
      if (parent >= 0) assert.equal(traffic.samples[parent]!.place, sample.place)
    }
  })
})

test('Of calls that no request made those are left without a parent that fit nowhere, at little cost to the others', () => {
  const traffic = madeUpTraffic({ seed: 6, requests: 400, every: 12_000, plan: SEQUENCE, orphans: 0.15 })
  const linked = linkByTime(traffic.samples)
  const orphans = traffic.samples.flatMap((sample, index) => {
    return sample.side === 'client' && traffic.truth[index] === -1 ? [index] : []
  })
  const left = orphans.filter(index => chosen(linked)(index) === -1).length
  assert.ok(orphans.length >= 40)
  assert.ok(left / orphans.length >= 0.4, `${left} of ${orphans.length}`)
  assert.ok(score(traffic, linked).precision >= 0.96)
})

test('Where samples are missing, their partners are rather let go than given to others', () => {
  const whole = madeUpTraffic({ seed: 7, requests: 500, every: 6_000, plan: SEQUENCE })
  const random = createSeededRandom(70)
  const kept = whole.samples.map((_, index) => index).filter(() => random() >= 0.2)
  const placeOf = new Map(kept.map((index, place) => [index, place]))
  const traffic = {
    samples: kept.map(index => whole.samples[index]!),
    truth: kept.map(index => placeOf.get(whole.truth[index]!) ?? -1),
  }
  const { precision, recall } = score(traffic, linkByTime(traffic.samples))
  assert.ok(precision >= 0.9, `precision ${precision}`)
  assert.ok(recall >= 0.88, `recall ${recall}`)
})

test('Clock jitter of a part of a gap costs little', () => {
  const traffic = madeUpTraffic({ seed: 8, requests: 400, every: 2_500, plan: SEQUENCE, jitter: 100 })
  const { recall } = score(traffic, linkByTime(traffic.samples))
  assert.ok(recall >= 0.93, `recall ${recall}`)
})

test('What is known is kept, and helps the rest', () => {
  const traffic = madeUpTraffic({ seed: 9, requests: 300, every: 700, plan: PARALLEL })
  const random = createSeededRandom(90)
  const samples = traffic.samples.map((sample, index): TimeSample => {
    return sample.side === 'client' && random() < 0.5 ? { ...sample, known: traffic.truth[index]! } : sample
  })
  const without = score(traffic, linkByTime(traffic.samples))
  const linked = linkByTime(samples)
  samples.forEach((sample, index) => {
    if (sample.known !== undefined) assert.equal(chosen(linked)(index), sample.known)
  })
  const unknown = {
    ...traffic,
    samples: samples.map((s): TimeSample => (s.known === undefined ? s : { ...s, side: 'server' })),
  }
  const withHelp = judged(unknown, chosen(linked))
  assert.ok(withHelp.recall > without.recall, `${withHelp.recall} after ${without.recall}`)
})

test('Confidence says how often a link is right', () => {
  const traffic = madeUpTraffic({ seed: 10, requests: 800, every: 900, plan: PARALLEL })
  const linked = linkByTime(traffic.samples)
  let said = 0
  let right = 0
  let doubtful = 0
  traffic.samples.forEach((sample, index) => {
    if (sample.side !== 'client') return
    const { parent, confidence } = linked.candidates[index]![0]!
    if (confidence >= 0.95) return
    doubtful++
    said += confidence
    if (parent === traffic.truth[index]) right++
  })
  assert.ok(doubtful >= 100, `${doubtful} doubtful links`)
  assert.ok(Math.abs(said - right) / doubtful <= 0.12, `said ${said / doubtful}, was ${right / doubtful}`)
})

test('The same samples give the same links, candidates and confidences, in a batch and in windows', () => {
  const { samples } = madeUpTraffic({ seed: 11, requests: 200, every: 900, plan: PARALLEL })
  assert.deepEqual(linkByTime(samples), linkByTime(samples))
  assert.deepEqual(linkStreamByTime(samples), linkStreamByTime(samples))
})

test('Windows on a stream link as well as the whole at once, within a point', () => {
  const traffic = madeUpTraffic({ seed: 12, requests: 1_500, every: 15_000, plan: PARALLEL.map(slower) })
  const batch = score(traffic, linkByTime(traffic.samples)).recall
  const streamed = linkStreamByTime(traffic.samples)
  assert.ok(streamed.windows >= 5, `${streamed.windows} windows`)
  const windows = score(traffic, streamed).recall
  assert.ok(Math.abs(batch - windows) <= 0.01, `${windows} in windows, ${batch} at once`)
})

const slower = (call: PlannedCall): PlannedCall => ({ ...call, takes: call.takes * 6 })

test('When a service changes its behaviour, what was learned before is dropped', () => {
  const before = madeUpTraffic({ seed: 13, requests: 800, every: 20_000, plan: PARALLEL })
  const changed: PlannedCall[] = [
    { kind: 'mail POST /', stage: 0, takes: 25_000 },
    { kind: 'db SELECT', stage: 1, takes: 9_000 },
    { kind: 'stock GET /', stage: 2, takes: 30_000 },
  ]
  const startsAt = before.samples.at(-1)!.start + 100_000
  const after = madeUpTraffic({ seed: 14, requests: 800, every: 20_000, plan: changed, startsAt })
  const shift = before.samples.length
  const traffic = {
    samples: [...before.samples, ...after.samples],
    truth: [...before.truth, ...after.truth.map(parent => (parent < 0 ? parent : parent + shift))],
  }
  const streamed = linkStreamByTime(traffic.samples)
  assert.ok(streamed.changes >= 1)
  const { recall } = score(traffic, streamed)
  assert.ok(recall >= 0.93, `recall ${recall}`)
})

test('Hundreds of requests at once, every call within all of them: bounded, counted, and nothing is claimed', () => {
  const traffic = madeUpTraffic({ seed: 15, requests: 300, every: 0.5, plan: PARALLEL })
  const linked = linkByTime(traffic.samples)
  assert.ok(linked.capped.candidates > 0)
  let said = 0
  let calls = 0
  let right = 0
  linked.candidates.forEach((candidates, index) => {
    if (candidates === undefined) return
    calls++
    const { parent, confidence } = candidates[0]!
    assert.ok(confidence >= 0 && confidence <= 1)
    said += confidence
    if (parent === traffic.truth[index]) right++
  })
  assert.ok(said / calls <= right / calls + 0.1, `said ${said / calls}, was ${right / calls}`)
})

test('Samples that end before they begin, that repeat, and services with one side only do no harm', () => {
  const { samples } = madeUpTraffic({ seed: 16, requests: 60, every: 5_000, plan: SEQUENCE })
  const odd: TimeSample[] = [
    ...samples,
    ...samples.slice(0, 20),
    { ...samples[0]!, start: 10_000, end: 0 },
    { ...samples[1]!, start: 10_000, end: 0 },
    { ...samples[1]!, service: 'calls only' },
    { ...samples[0]!, service: 'serves only' },
  ]
  const linked = linkByTime(odd)
  assert.equal(linked.candidates[odd.length - 2]?.[0]?.parent, -1)
  linkStreamByTime(odd)
})
