import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMillisOf } from '../live/process-usage.js'
import { labProcesses, machineBusyMillis, runLab } from './lab.js'
import { type CallScore, scoreCalls } from './score-calls.js'
import { callsOfLog, emptyLog } from './tempest-log.js'
import { spansOf, startWatching } from './watching.js'

/** off: nothing watches. osprofiler: every request of Tempest is profiled. ghostspan: Ghostspan watches. */
export type Variant = 'off' | 'osprofiler' | 'ghostspan'

export interface Turn {
  readonly variant: Variant
  readonly suite: string
  readonly concurrency: number
  readonly pair: number
  readonly passed: number
  readonly failed: number
  readonly durationS: number
  readonly servicesCpuMs: number
  readonly backEndsCpuMs: number
  readonly machineBusyMs: number
  /** Of Tempest's calls as Tempest measured them, ms. */
  readonly calls: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly watched?: Watched
}

export interface Watched {
  /** The daemon and its children: capture, assembly, OTLP, the archive's engine. */
  readonly ownCpuMs: number
  /** The kernel's account of our BPF programs; counting it costs some 30 ns a run, so it holds too much rather than too little. */
  readonly bpfMs: number
  readonly rssMiB: number
  readonly events: number
  readonly lostEvents: number
  readonly spans: number
  readonly score: CallScore
}

const STATS = '/proc/sys/kernel/bpf_stats_enabled'

/** Tempest's sets as the lab's script knows them. */
export const SUITES: Readonly<Record<string, readonly string[]>> = {
  smoke: ['smoke'],
  identity: ['identity'],
  image: ['image'],
  compute: ['regex', '^tempest\\.api\\.compute\\.(flavors|servers)\\.'],
  tokens: ['regex', '^tempest\\.api\\.identity\\.v3\\.test_tokens'],
}

export interface TurnOptions {
  readonly variant: Variant
  readonly suite: string
  readonly concurrency: number
  readonly pair: number
  readonly progress: (text: string) => void
}

/** One run of Tempest. */
export async function runTurn(options: TurnOptions): Promise<Turn> {
  return options.variant === 'ghostspan' ? runWatched(options) : runTempest(options)
}

async function runWatched(options: TurnOptions): Promise<Turn> {
  const statistics = readFileSync(STATS, 'utf8').trim()
  writeFileSync(STATS, '1')
  const daemon = await startWatching()
  try {
    // The first seconds are discovery, not load.
    await sleep(4_000)
    const ownBefore = daemon.cpuMillis()
    const bpfBefore = bpfMillis(daemon.pid)
    const sinceUs = Date.now() * 1_000
    const turn = await runTempest(options)
    const bpfMs = bpfMillis(daemon.pid) - bpfBefore
    // What is still open leaves, and reaches the archive: that is its cost as well.
    await sleep(6_000)
    const ownCpuMs = daemon.cpuMillis() - ownBefore
    const { events, lostEvents, spans } = await daemon.status()
    const found = await spansOf(daemon.dataDirectory, sinceUs - 5e6, Date.now() * 1_000)
    const score = scoreCalls(callsOfLog(), found)
    for (const problem of score.problems.slice(0, 8)) options.progress(`  ${problem}`)
    return { ...turn, watched: { ownCpuMs, bpfMs, rssMiB: daemon.rssMiB(), events, lostEvents, spans, score } }
  } finally {
    await daemon.stop()
    writeFileSync(STATS, statistics)
  }
}

async function runTempest({ variant, suite, concurrency, pair, progress }: TurnOptions): Promise<Turn> {
  emptyLog()
  const environment = { TEMPEST_JOBS: String(concurrency), TEMPEST_PROFILE: variant === 'osprofiler' ? '1' : '0' }
  const { services, backEnds } = labProcesses()
  const before = { services: cpuMillisOf(services), backEnds: cpuMillisOf(backEnds), busy: machineBusyMillis() }
  const since = performance.now()
  const { output } = await runLab('tempest', SUITES[suite]!, environment, () => {})
  const durationS = (performance.now() - since) / 1_000
  const count = (name: string): number => Number(new RegExp(`- ${name}: (\\d+)`).exec(output)?.[1] ?? Number.NaN)
  const passed = count('Passed')
  if (!(passed > 0)) throw new Error(`Tempest passed no test:\n${output.slice(-1_000)}`)
  const calls = callsOfLog()
  const latencies = calls.map(({ durationUs }) => durationUs / 1_000).sort((a, b) => a - b)
  const turn: Turn = {
    variant,
    suite,
    concurrency,
    pair,
    passed,
    failed: count('Failed'),
    durationS,
    servicesCpuMs: cpuMillisOf(services) - before.services,
    backEndsCpuMs: cpuMillisOf(backEnds) - before.backEnds,
    machineBusyMs: machineBusyMillis() - before.busy,
    calls: calls.length,
    p50Ms: quantile(latencies, 0.5),
    p95Ms: quantile(latencies, 0.95),
    p99Ms: quantile(latencies, 0.99),
  }
  progress(
    `${suite} × ${concurrency}, pair ${pair}, ${variant}: ${passed} passed, ${turn.failed} failed in ${durationS.toFixed(1)} s, ${calls.length} calls`,
  )
  return turn
}

/** Run time of the BPF programs that this process holds, ms: the kernel tells it of each descriptor (bpf_prog_show_fdinfo). */
function bpfMillis(pid: number): number {
  const folder = `/proc/${pid}/fdinfo`
  const byProgram = new Map<string, number>()
  for (const name of readdirSync(folder)) {
    let text: string
    try {
      text = readFileSync(join(folder, name), 'latin1')
    } catch {
      // Closed since.
      continue
    }
    const id = /^prog_id:\s+(\d+)/m.exec(text)?.[1]
    const time = /^run_time_ns:\s+(\d+)/m.exec(text)?.[1]
    if (id !== undefined && time !== undefined) byProgram.set(id, Number(time) / 1e6)
  }
  return [...byProgram.values()].reduce((sum, millis) => sum + millis, 0)
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN
}
