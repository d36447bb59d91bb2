import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot } from '../test/backends/repository-root.js'
import { type Evaluation, evaluationPage, operationsPlot } from './openstack/evaluation-page.js'
import { labProcesses, runLab } from './openstack/lab.js'
import { measureOperations, type OperationResult } from './openstack/operations.js'
import { overheadOf } from './openstack/overhead.js'
import { runTurn, SUITES, type Turn, type Variant } from './openstack/turns.js'

/**
 * Ghostspan on a real OpenStack, beside OSProfiler: whether every call of Tempest has a whole trace of its own, whether
 * spans and parents are OSProfiler's, and what both cost. Needs root, BPF and the lab's packages (`npm run openstack`).
 */
const HELP = `eval:openstack [--json] [--check] [--suite S,…] [--pairs N] [--concurrency C,…] [--operations all|others|none|NAME,…]
  --suite        smoke, compute, image, identity, tokens; none: no Tempest (default: smoke)
  --pairs        runs of each variant: off, OSProfiler on, Ghostspan on, in turns (default: 1)
  --concurrency  Tempest's workers: 1,2,4 (default: 1)
  --variants     off,osprofiler,ghostspan (default: all)
  --operations   under OSProfiler and Ghostspan at once, compared (default: all, the listed ones; others: keypairs,
                 quotas, projects, roles, shelving)
  --resume       go on where a run that was stopped has left off (state: .ghostspan/eval-openstack)
  --report DIR   write the report and plots there (docs/evaluation in this repository is what we measured)
  --pages DIR    write each operation's page with both waterfalls
  --keep         leave the lab up`

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    suite: { type: 'string', default: 'smoke' },
    pairs: { type: 'string', default: '1' },
    concurrency: { type: 'string', default: '1' },
    variants: { type: 'string', default: 'off,osprofiler,ghostspan' },
    operations: { type: 'string', default: 'all' },
    resume: { type: 'boolean', default: false },
    report: { type: 'string' },
    pages: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

interface State {
  turns: Turn[]
  operations: OperationResult[]
  skipped: { what: string; why: string }[]
  events: number
  lostEvents: number
}

const progress = (text: string): void => console.error(`eval:openstack: ${text}`)
const stateFolder = join(repositoryRoot(), '.ghostspan', 'eval-openstack')
const statePath = join(stateFolder, 'state.json')

try {
  process.exitCode = values.help ? help() : await main()
} catch (problem) {
  console.error(`eval:openstack: cannot be measured: ${problem instanceof Error ? problem.message : problem}`)
  process.exitCode = 1
}

function help(): number {
  console.log(HELP)
  return 0
}

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error('root is needed, for the lab and for BPF programs')
  const suites = values.suite === 'none' ? [] : values.suite.split(',')
  for (const suite of suites) {
    if (SUITES[suite] === undefined)
      throw new Error(`--suite ${suite}: must be one of ${Object.keys(SUITES).join(', ')}`)
  }
  const state = loadState()
  const save = (): void => writeFileSync(statePath, JSON.stringify(state))
  const wasUp = labProcesses().services.length > 0
  if (!wasUp) progress('the lab is not up, starting it')
  const up = await runLab('up', [], { OSLAB_PROFILER: '1' }, line => (wasUp ? undefined : progress(`  ${line}`)))
  if (up.code !== 0) throw new Error(`the lab does not start:\n${up.output.slice(-1_000)}`)
  try {
    await operationsPart(state, save)
    for (const suite of suites) await turnsPart(suite, state, save)
  } finally {
    if (!wasUp && !values.keep) await runLab('down', [], {}, () => {})
  }
  return finish(state)
}

function loadState(): State {
  mkdirSync(stateFolder, { recursive: true })
  if (values.resume && existsSync(statePath)) return JSON.parse(readFileSync(statePath, 'utf8')) as State
  rmSync(statePath, { force: true })
  return { turns: [], operations: [], skipped: [], events: 0, lostEvents: 0 }
}

async function operationsPart(state: State, save: () => void): Promise<void> {
  if (values.operations === 'none') {
    state.skipped.push({ what: 'operations under OSProfiler', why: '--operations none' })
    return
  }
  if (state.operations.length > 0) return
  if (values.pages !== undefined) mkdirSync(values.pages, { recursive: true })
  const { events, lostEvents } = await measureOperations({
    set: values.operations === 'others' ? 'others' : 'listed',
    only: ['all', 'others'].includes(values.operations) ? [] : values.operations.split(','),
    suffix: `${process.pid}`,
    pages: values.pages,
    progress,
    done: result => void state.operations.push(result),
    failed: (name, why) => {
      progress(`${name} failed: ${why}`)
      state.skipped.push({ what: name, why })
    },
  })
  state.events += events
  state.lostEvents += lostEvents
  save()
}

async function turnsPart(suite: string, state: State, save: () => void): Promise<void> {
  const variants = values.variants.split(',') as Variant[]
  for (const concurrency of values.concurrency.split(',').map(Number)) {
    for (let pair = 1; pair <= Number(values.pairs); pair++) {
      // Which comes first changes from pair to pair.
      const order = variants.map((_, i) => variants[(i + pair - 1) % variants.length]!)
      for (const variant of order) {
        const isDone = state.turns.some(
          turn =>
            turn.suite === suite && turn.concurrency === concurrency && turn.pair === pair && turn.variant === variant,
        )
        if (isDone) continue
        const turn = await runTurn({ variant, suite, concurrency, pair, progress })
        state.turns.push(turn)
        state.events += turn.watched?.events ?? 0
        state.lostEvents += turn.watched?.lostEvents ?? 0
        save()
      }
    }
  }
}

function finish(state: State): number {
  const { turns, operations, skipped, events, lostEvents } = state
  const tempest = { calls: 0, traced: 0, oneRoot: 0, merged: 0 }
  for (const { watched } of turns) {
    if (watched === undefined) continue
    tempest.calls += watched.score.calls
    tempest.traced += watched.score.traced
    tempest.oneRoot += watched.score.oneRoot
    tempest.merged += watched.score.merged
  }
  const processors = cpus().length
  const overhead = {
    ghostspan: overheadOf(turns, 'ghostspan', processors),
    osprofiler: overheadOf(turns, 'osprofiler', processors),
  }
  if (values.report !== undefined) {
    const evaluation: Evaluation = {
      made: new Date().toISOString().slice(0, 10),
      machine: `${processors} processors, ${cpus()[0]?.model ?? 'unknown'}, Linux ${release()}`,
      tempest,
      operations,
      turns,
      overhead,
      events,
      lostEvents,
      skipped,
    }
    mkdirSync(values.report, { recursive: true })
    writeFileSync(join(values.report, 'openstack.md'), evaluationPage(evaluation))
    if (operations.length > 0) writeFileSync(join(values.report, 'operations.svg'), operationsPlot(operations))
  }
  const missed = misses(tempest, operations, lostEvents)
  for (const miss of missed) progress(`goal missed: ${miss}`)
  const result = {
    tempest,
    osprofiler: { operations },
    overhead,
    lostEvents,
    events,
    turns,
    skipped,
    reached: missed.length === 0,
  }
  if (values.json) console.log(JSON.stringify(result))
  else console.error(JSON.stringify({ ...result, turns: turns.length }, undefined, 2))
  return values.check && missed.length > 0 ? 1 : 0
}

function misses(tempest: Evaluation['tempest'], operations: readonly OperationResult[], lostEvents: number): string[] {
  const missed: string[] = []
  if (tempest.calls > 0 && tempest.oneRoot / tempest.calls < 0.999)
    missed.push(`${tempest.oneRoot} of ${tempest.calls} calls have one root`)
  if (tempest.merged > 0) missed.push(`${tempest.merged} merged traces`)
  const sum = (pick: (each: OperationResult) => number): number => operations.reduce((all, each) => all + pick(each), 0)
  const spans = sum(each => each.spans)
  const matched = sum(each => each.matched)
  if (spans > 0 && matched / spans < 0.99) missed.push(`${matched} of ${spans} spans matched`)
  if (matched > 0 && sum(each => each.parentsEqual) / matched < 0.99) missed.push('parents')
  if (lostEvents > 0) missed.push(`${lostEvents} events lost`)
  return missed
}
