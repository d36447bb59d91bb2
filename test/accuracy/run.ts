import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { type EvidenceKind, evidenceKinds } from '../../src/correlate/link.js'
import { removeLeftovers } from '../../src/demo/run-folder.js'
import { missedGoals } from './goals.js'
import { type Measured, measure } from './measure.js'
import { recordingsIn, rescore } from './recorded-run.js'
import { lineOf, reliabilityOf, type Skipped, tableOf, writeIntoPage } from './report.js'
import { repositoryPath } from './repository-path.js'
import type { Workload } from './workload.js'
import { workloads } from './workloads.js'

/** How right the links are in services of many kinds, by what their callers and callees noted themselves. */
const HELP = `accuracy [--workload W]… [--concurrency C]… [--requests N] [--short] [--json] [--check] [--write]
  --workload W     only this one (its name, or how its name begins); may be given again
  --concurrency C  this many requests at a time instead of the workload's own levels; may be given again
  --requests N     requests of a measurement
  --short          a part of the workloads, one level of concurrency each, few requests
  --evidence K,K   kinds of evidence that are on, of ${evidenceKinds.join(', ')}; default: what the workload says
  --record DIR     keep recordings and notes there
  --replay DIR     no live run: score the recordings of an earlier run
  --json           one JSON object as the last line
  --check          exit 1 when a goal is missed
  --write          put the tables into docs/accuracy.md
  --list           names of all workloads
Needs root, BPF, and the Debian packages that set-up installs.`

const SHORT_REQUESTS = 150
const INTERRUPTED = 130

const { values } = parseArgs({
  options: {
    workload: { type: 'string', multiple: true },
    concurrency: { type: 'string', multiple: true },
    requests: { type: 'string' },
    short: { type: 'boolean', default: false },
    evidence: { type: 'string' },
    record: { type: 'string' },
    replay: { type: 'string' },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

interface Outcome {
  readonly measured: Measured[]
  readonly skipped: Skipped[]
  readonly failed: string[]
}

const progress = (text: string): void => console.error(`accuracy: ${text}`)
const interrupt = new AbortController()
const byName = new Map(workloads.map(workload => [workload.name, workload]))

process.exitCode = await main().catch((problem: Error) => {
  progress(`cannot be measured: ${problem.message}`)
  return 1
})

async function main(): Promise<number> {
  if (values.help || values.list) {
    console.log(values.help ? HELP : [...byName.keys()].join('\n'))
    return 0
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => interrupt.abort(new Error(`stopped by ${name}`)))
  }
  const outcome: Outcome = { measured: [], skipped: [], failed: [] }
  const evidence = evidenceGiven()
  try {
    if (values.replay !== undefined) await replay(values.replay, evidence, outcome)
    else await runLive(evidence, outcome)
  } catch (problem) {
    // What was measured before an interruption is told; a page is not written from it.
    if (!interrupt.signal.aborted) throw problem
    progress('interrupted; all servers are stopped')
    report(outcome, false)
    return INTERRUPTED
  }
  return report(outcome, values.write)
}

function chosen(): Workload[] {
  const names = values.workload
  const some =
    names === undefined ? workloads : workloads.filter(({ name }) => names.some(each => name.startsWith(each)))
  const all = values.short ? some.filter(workload => workload.short === true) : some
  if (all.length === 0) throw new Error(`no workload is called ${names?.join(' or ')}; --list names them`)
  return [...all]
}

function levelsOf(workload: Workload): readonly number[] {
  if (values.concurrency !== undefined) return values.concurrency.map(text => wholeNumber('concurrency', text))
  if (!values.short) return workload.concurrency
  return [workload.concurrency.find(level => level > 1) ?? workload.concurrency[0]!]
}

async function runLive(evidence: readonly EvidenceKind[] | undefined, outcome: Outcome): Promise<void> {
  const some = chosen()
  if (process.getuid?.() !== 0) throw new Error('root is needed to attach BPF programs')
  if (values.record !== undefined) mkdirSync(values.record, { recursive: true, mode: 0o700 })
  await removeLeftovers(tmpdir())
  for (const workload of some) {
    const lacks = workload.needs.filter(need => !need.met()).map(need => need.what)
    if (lacks.length > 0) {
      outcome.skipped.push({ what: workload.name, why: `needs ${lacks.join(', ')}` })
      progress(`${workload.name}: skipped, needs ${lacks.join(', ')}`)
      continue
    }
    for (const concurrency of levelsOf(workload)) await runOnce(workload, concurrency, evidence, outcome)
  }
}

async function runOnce(
  workload: Workload,
  concurrency: number,
  evidence: readonly EvidenceKind[] | undefined,
  outcome: Outcome,
): Promise<void> {
  const label = `${workload.name} ×${concurrency}`
  const requests =
    values.requests === undefined
      ? values.short
        ? Math.min(SHORT_REQUESTS, workload.requests ?? SHORT_REQUESTS)
        : undefined
      : wholeNumber('requests', values.requests)
  try {
    const measured = await measure(workload, {
      concurrency,
      progress: text => progress(`${label}: ${text}`),
      signal: interrupt.signal,
      ...(requests !== undefined && { requests }),
      ...(evidence !== undefined && { evidence }),
      ...(values.record !== undefined && { recordTo: values.record }),
    })
    keep(measured, outcome)
  } catch (problem) {
    interrupt.signal.throwIfAborted()
    outcome.failed.push(`${label}: ${(problem as Error).message}`)
    progress(`${label}: could not be measured: ${(problem as Error).message}`)
  }
}

async function replay(folder: string, evidence: readonly EvidenceKind[] | undefined, outcome: Outcome): Promise<void> {
  const names = new Set(chosen().map(({ name }) => name))
  for (const { path, run } of recordingsIn(folder)) {
    const workload = byName.get(run.workload)
    if (workload === undefined || !names.has(workload.name)) continue
    if (values.concurrency?.includes(`${run.concurrency}`) === false) continue
    keep(await rescore(path, run, workload, evidence), outcome)
    interrupt.signal.throwIfAborted()
  }
}

function keep(measured: Measured, outcome: Outcome): void {
  outcome.measured.push(measured)
  progress(lineOf(measured))
  for (const example of measured.examples) progress(`  ${example}`)
  for (const miss of missedGoals(measured, byName.get(measured.name)!.goal)) progress(`  goal missed: ${miss}`)
}

function report({ measured, skipped, failed }: Outcome, write: boolean): number {
  const missed = measured.flatMap(each =>
    missedGoals(each, byName.get(each.name)!.goal).map(miss => `${each.name} ×${each.concurrency}: ${miss}`),
  )
  const reached = missed.length === 0 && failed.length === 0
  const table = tableOf(measured, byName)
  const reliability = reliabilityOf(measured.map(({ calibration }) => calibration))
  if (write) {
    const page = repositoryPath('docs', 'accuracy.md')
    writeIntoPage(page, 'links', table)
    writeIntoPage(page, 'reliability', reliability)
  }
  if (values.json) {
    const rows = measured.map(({ examples: _, ...row }) => row)
    console.log(JSON.stringify({ workloads: rows, missed, failed, reached, skipped }))
  } else {
    console.log(`${table}\n\n${reliability}`)
    for (const miss of missed) console.log(`goal missed: ${miss}`)
    for (const { what, why } of skipped) console.log(`skipped ${what}: ${why}`)
  }
  if (failed.length > 0) return 1
  return values.check && !reached ? 1 : 0
}

function evidenceGiven(): readonly EvidenceKind[] | undefined {
  if (values.evidence === undefined) return undefined
  const kinds = values.evidence.split(',')
  const unknown = kinds.find(kind => !evidenceKinds.some(known => known === kind))
  if (unknown !== undefined) throw new Error(`--evidence ${unknown}: must be of ${evidenceKinds.join(', ')}`)
  return kinds as EvidenceKind[]
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} ${text}: must be a whole number from 1`)
  return value
}
