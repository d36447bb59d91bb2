import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import { ArchiveError } from '../archive/archive.js'
import type { HooksChoice } from '../capture/hooks.js'
import { CaptureUnavailableError } from '../capture/native-addon.js'
import { createOtlpSink } from '../export/otlp-sink.js'
import { type Counters, createCounters } from '../telemetry/counters.js'
import type { TraceSink } from '../traces/span.js'
import { version } from '../version.js'
import { type DemoArchive, openDemoArchive } from './demo-archive.js'
import type { DemoOptions } from './demo-options.js'
import { missingPackages } from './demo-packages.js'
import { figuresOf, missedGoals, renderReport, type Skipped } from './demo-report.js'
import type { DemoRun } from './demo-run.js'
import { runLiveDemo, startCapture } from './live-demo.js'
import { runRecordedDemo } from './recorded-demo.js'
import { createTraceCollector, type TraceCollector } from './trace-collector.js'

/** Exit code of a run that was interrupted, as a shell gives it for SIGINT. */
const INTERRUPTED = 130

/** Why the demo cannot watch live here; undefined if it can. */
async function liveObstacle(hooks: HooksChoice): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root may load eBPF programs'
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'this kernel has no BTF (/sys/kernel/btf/vmlinux)'
  const missing = missingPackages()
  if (missing.length > 0) return `these Debian packages are missing: ${missing.join(' ')}`
  try {
    // Selects nobody: whether the programs load is all that is asked.
    const probe = await startCapture(createCounters(), { include: [{ executable: '/dev/null' }] }, [], hooks)
    await probe.close()
  } catch (problem) {
    if (problem instanceof CaptureUnavailableError) return problem.message
    throw problem
  }
  return undefined
}

interface Sinks {
  readonly archive: DemoArchive | undefined
  readonly otlp: TraceSink | undefined
  readonly all: readonly TraceSink[]
}

async function openSinks(options: DemoOptions, counters: Counters, skipped: Skipped[]): Promise<Sinks> {
  const warn = options.progress
  let archive: DemoArchive | undefined
  if (options.archive !== undefined) {
    try {
      archive = await openDemoArchive({ connect: options.archive, counters, warn })
      options.progress(`archive: ${archive.place}`)
    } catch (problem) {
      if (!(problem instanceof ArchiveError)) throw problem
      skipped.push({ what: 'archive', why: problem.message })
      options.progress(`archive: left out: ${problem.message}`)
    }
  }
  const otlp = options.otlp && createOtlpSink({ ...options.otlp, version, counters, warn })
  return { archive, otlp, all: [archive?.sink, otlp].filter(sink => sink !== undefined) }
}

async function observe(
  options: DemoOptions,
  counters: Counters,
  collector: TraceCollector,
  sinks: Sinks,
  skipped: Skipped[],
): Promise<DemoRun> {
  const obstacle =
    options.source === 'recording' ? 'the recording was asked for' : await liveObstacle(options.hooks ?? 'auto')
  if (obstacle === undefined) {
    const ownPids = sinks.archive?.enginePid === undefined ? [] : [sinks.archive.enginePid]
    return runLiveDemo({ options, counters, collector, sinks: sinks.all, ownPids })
  }
  if (options.source === 'live') throw new Error(`demo: live capture is not possible: ${obstacle}`)
  skipped.push({ what: 'live capture', why: obstacle })
  options.progress(`no live capture: ${obstacle}. The recording that comes with Ghostspan is replayed instead.`)
  const { signal, progress } = options
  return runRecordedDemo({ counters, collector, sinks: sinks.all, signal, progress })
}

/**
 * Runs the demo: a small real system under load, its traces rebuilt from its sockets alone, shown, archived, and
 * compared with what its services noted. All servers are stopped when it returns, also by way of `signal`.
 * @returns the exit code: 0 when the measurement was made, 1 when it could not be made or (`check`) a goal was missed
 */
export async function runDemo(given: DemoOptions): Promise<number> {
  const options: DemoOptions = { ...given, progress: text => given.progress(`demo: ${text}\n`) }
  const skipped: Skipped[] = []
  const counters = createCounters()
  const collector = createTraceCollector()
  let sinks: Sinks | undefined
  try {
    sinks = await openSinks(options, counters, skipped)
    const run = await observe(options, counters, collector, sinks, skipped)
    return await report(options, run, collector, sinks, skipped)
  } catch (problem) {
    options.progress(options.signal?.aborted ? 'interrupted' : (problem as Error).message)
    return options.signal?.aborted ? INTERRUPTED : 1
  } finally {
    await sinks?.otlp?.close()
    await sinks?.archive?.close()
  }
}

/** How a reader calls us from where he is: a clone is not in his PATH. */
function ownCommand(): string {
  const program = relative(process.cwd(), process.argv[1] ?? '')
  return program.endsWith('src/cli/main.js') && !program.includes('node_modules') ? `node ${program}` : 'ghostspan'
}

async function report(
  options: DemoOptions,
  run: DemoRun,
  collector: TraceCollector,
  sinks: Sinks,
  skipped: readonly Skipped[],
): Promise<number> {
  const { traces } = collector
  const archived = (await sinks.archive?.count(traces)) ?? null
  const figures = figuresOf(run, traces, options, archived, skipped)
  if (options.json) {
    for (const example of run.score.examples) options.progress(example)
    options.print(`${JSON.stringify(figures)}\n`)
  } else {
    const where = {
      archivedIn: sinks.archive?.place,
      dataDirectory: sinks.archive?.dataDirectory,
      sentTo: sinks.otlp && options.otlp?.url,
      command: ownCommand(),
    }
    options.print(renderReport(figures, run.score.examples, traces, options, where))
  }
  for (const failure of run.failures.slice(0, 10)) options.progress(`not answered: ${failure}`)
  const missed = missedGoals(figures)
  for (const each of missed) options.progress(`goal missed: ${each}`)
  return options.check && missed.length > 0 ? 1 : 0
}
