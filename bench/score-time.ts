import { parseArgs } from 'node:util'
import { linkByTime, type TimeSample } from '../src/correlate/time/link-by-time.js'
import { linkStreamByTime } from '../src/correlate/time/link-stream-by-time.js'
import { createSeededRandom } from '../src/correlate/time/seeded-random.js'
import type { Capped } from '../src/correlate/time/solve-window.js'
import { badInputs } from './score-time/bad-input.js'
import { type Score, scoreLinks } from './score-time/score.js'
import { type BadInputScore, type BadInputScores, scoreBadInput } from './score-time/score-bad-input.js'
import { readSpanSet, type SpanSet } from './score-time/span-set.js'

/**
 * How well calls are linked to requests by start and end times alone, on sets whose truth is known. `seconds` is CPU
 * time of the linking (the machine may be busy otherwise), `wallSeconds` what a clock says.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    known: { type: 'string', default: '0' },
    lose: { type: 'string', default: '0' },
    windows: { type: 'boolean', default: false },
    'bad-input': { type: 'boolean', default: false },
    case: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
})

const USAGE = `score:time [--json] [--seed N] [--known SHARE] [--lose SHARE] [--windows] FILE…
score:time --bad-input [--json] [--seed N] [--case NAME]
  FILE     JSON lines, gzipped or not: id, service, side, peer, operation, start_us, end_us, truth_trace, truth_parent
  --known  this share of the calls comes with its true parent, as if other evidence had told
  --lose   this share of all samples is taken out
  --windows  samples come in as on a live stream: decided in windows, nothing is decided twice
  --bad-input  instead of files, made-up traffic with wrong clocks, lost ends, crowds …: at once and in windows
  --case   only those whose name holds this`

interface Measured extends Score {
  readonly name: string
  readonly seconds: number
  readonly wallSeconds: number
  readonly rssMiB: number
  readonly windows: number
  readonly changes: number
  readonly longestDelayS: number
  readonly capped: Capped
}

process.exitCode = main()

function main(): number {
  if (values['bad-input']) return scoreBadInputs()
  if (values.help || positionals.length === 0) {
    console.log(USAGE)
    return values.help ? 0 : 1
  }
  const sets: Measured[] = []
  for (const file of positionals) {
    let set: SpanSet
    try {
      set = readSpanSet(file)
    } catch (error) {
      console.error(`score:time: ${file}: ${(error as Error).message}`)
      return 1
    }
    const measured = measure(set)
    report(measured)
    sets.push(measured)
  }
  if (values.json) console.log(JSON.stringify({ sets, skipped: [] }))
  return 0
}

function scoreBadInputs(): number {
  const cases: BadInputScores[] = []
  for (const input of badInputs) {
    if (!input.name.includes(values.case)) continue
    const scores = scoreBadInput(input, Number(values.seed))
    cases.push(scores)
    console.error(`${input.name}: ${inWords(scores.atOnce)}; in windows ${inWords(scores.windows)}`)
  }
  if (values.json) console.log(JSON.stringify({ badInput: cases, skipped: [] }))
  return 0
}

function inWords({ right, said, was, sure, sureRight, seconds, rssMiB, capped }: BadInputScore): string {
  const percent = (value: number): string => (value * 100).toFixed(1)
  return (
    `right ${percent(right)} %, said ${percent(said)} was ${percent(was)}, sure ${percent(sure)} % right ${percent(sureRight)} %, ` +
    `capped ${capped.candidates + capped.ways + capped.pairs}, ${seconds.toFixed(1)} CPU s, ${rssMiB} MiB`
  )
}

function measure(set: SpanSet): Measured {
  const seed = Number(values.seed)
  const random = createSeededRandom(seed + 7)
  const lose = Number(values.lose)
  const known = Number(values.known)
  const given = set.samples.map(() => random() >= lose)
  const indexes = set.samples.map((_, index) => index).filter(index => given[index])
  const placeOf = new Map(indexes.map((index, place) => [index, place]))
  const samples: TimeSample[] = indexes.map(index => {
    const sample = set.samples[index]!
    if (sample.side === 'server' || random() >= known) return sample
    return { ...sample, known: placeOf.get(set.truth.parent[index]!) ?? -1 }
  })
  const cpu = process.cpuUsage()
  const began = performance.now()
  const streamed = values.windows ? linkStreamByTime(samples, { seed }) : undefined
  const linked = streamed ?? linkByTime(samples, { seed })
  const { user, system } = process.cpuUsage(cpu)
  const candidates = set.samples.map((_, index) => {
    const place = placeOf.get(index)
    if (place === undefined) return undefined
    return linked.candidates[place]?.map(({ parent, confidence }) => {
      return { parent: parent < 0 ? parent : indexes[parent]!, confidence }
    })
  })
  return {
    name: set.name,
    ...scoreLinks({ samples: set.samples, truth: set.truth, candidates, given: index => given[index]! }),
    seconds: round((user + system) / 1e6),
    wallSeconds: round((performance.now() - began) / 1e3),
    rssMiB: round(process.resourceUsage().maxRSS / 1024),
    capped: linked.capped,
    windows: streamed?.windows ?? 0,
    changes: streamed?.changes ?? 0,
    longestDelayS: round((streamed?.longestDelayUs ?? 0) / 1e6),
  }
}

function report(m: Measured): void {
  const percent = (value: number): string => (value * 100).toFixed(2)
  console.error(
    `${m.name}${m.windows > 0 ? ` in ${m.windows} windows, ${m.changes} changes, delay ${m.longestDelayS} s` : ''}: whole traces ${percent(m.wholeTracesTw)} % (all services ${percent(m.wholeTracesAll)} %), ` +
      `links ${percent(m.links)} %, top 5 ${percent(m.top5)} %, unlinked ${percent(m.unlinked)} %, ` +
      `made ${percent(m.made)} % of which right ${percent(m.madeRight)} % (any guess ${percent(m.guessesRight)} %), ` +
      `sure ${percent(m.sure.share)} % right ${percent(m.sure.right)} %, ` +
      `calibration off by ${percent(m.calibration.maxError)} points, ` +
      `${m.seconds.toFixed(1)} CPU s, ${m.rssMiB.toFixed(0)} MiB`,
  )
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
