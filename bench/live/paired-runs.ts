import { setTimeout as sleep } from 'node:timers/promises'
import { startDaemon } from './daemon.js'
import { cpuMillisOf, familyOf } from './process-usage.js'
import { estimate, median } from './statistics.js'
import type { LiveTarget } from './target.js'
import { type Load, runWrk } from './wrk.js'

export interface PairedOptions {
  readonly pairs: number
  readonly seconds: number
  readonly archive: boolean
  readonly progress: (text: string) => void
}

export interface PairedResult {
  requests: number
  offRps: number
  onRps: number
  /** 1 - on/off of the pairs, and half its 95 % confidence interval. */
  lossShare: number
  lossCi95: number
  ourCpuMsPer1000: number
  /** What the service itself uses more with the programs attached, per 1,000 requests: the kernel side's share. */
  bpfCpuMsPer1000: number
  p50OffMs: number
  p50OnMs: number
  p99OffMs: number
  p99OnMs: number
  events: number
  lostEvents: number
  spans: number
  /** Spans exported over spans that the requests should have given. */
  spanShare: number
  rssMiB: number
}

interface Measured {
  readonly load: Load
  /** CPU of the service per 1,000 requests, ms. */
  readonly serviceMsPer1000: number
}

interface Watched extends Measured {
  readonly ourMsPer1000: number
  readonly events: number
  readonly lostEvents: number
  readonly spans: number
  readonly rssMiB: number
}

/** The same load without and with Ghostspan, in turns; which comes first changes from pair to pair. */
export async function runPairs(target: LiveTarget, options: PairedOptions): Promise<PairedResult> {
  const off: Measured[] = []
  const on: Watched[] = []
  await runWrk({ ...target, seconds: 1 })
  for (let pair = 1; pair <= options.pairs; pair++) {
    const turns = pair % 2 === 1 ? ['off', 'on'] : ['on', 'off']
    for (const turn of turns) {
      if (turn === 'off') off.push(await measure(target, options.seconds))
      else on.push(await watch(target, options))
    }
    const [a, b] = [off.at(-1)!, on.at(-1)!]
    options.progress(
      `pair ${pair}/${options.pairs}: ${a.load.requestsPerSecond.toFixed(0)} → ${b.load.requestsPerSecond.toFixed(0)} requests/s, ` +
        `ours ${b.ourMsPer1000.toFixed(1)} ms per 1,000, lost events ${b.lostEvents}`,
    )
  }
  return summarise(target, off, on)
}

async function measure(target: LiveTarget, seconds: number): Promise<Measured> {
  const pids = target.pids.flatMap(familyOf)
  const before = cpuMillisOf(pids)
  const load = await runWrk({ ...target, seconds })
  return { load, serviceMsPer1000: ((cpuMillisOf(pids) - before) * 1000) / load.requests }
}

async function watch(target: LiveTarget, { seconds, archive }: PairedOptions): Promise<Watched> {
  const daemon = await startDaemon({ executables: target.executables, archive })
  try {
    await sleep(1_500)
    const cpu = daemon.cpuMillis()
    const before = await daemon.status()
    const measured = await measure(target, seconds)
    const rssMiB = daemon.rssMiB()
    // What is still in the ring and in open traces costs as well.
    await sleep(4_000)
    const status = await daemon.status()
    return {
      ...measured,
      ourMsPer1000: ((daemon.cpuMillis() - cpu) * 1000) / measured.load.requests,
      events: status.events - before.events,
      lostEvents: status.lostEvents - before.lostEvents,
      spans: status.spans - before.spans,
      rssMiB,
    }
  } finally {
    await daemon.stop()
  }
}

function summarise(target: LiveTarget, off: readonly Measured[], on: readonly Watched[]): PairedResult {
  const loss = estimate(on.map((run, i) => 1 - run.load.requestsPerSecond / off[i]!.load.requestsPerSecond))
  const sum = (of: (run: Watched) => number): number => on.reduce((total, run) => total + of(run), 0)
  const middle = (runs: readonly Measured[], of: (run: Measured) => number): number => median(runs.map(of))
  const requests = sum(run => run.load.requests)
  return {
    requests,
    offRps: middle(off, run => run.load.requestsPerSecond),
    onRps: middle(on, run => run.load.requestsPerSecond),
    lossShare: loss.mean,
    lossCi95: loss.ci95,
    ourCpuMsPer1000: median(on.map(run => run.ourMsPer1000)),
    bpfCpuMsPer1000: estimate(on.map((run, i) => run.serviceMsPer1000 - off[i]!.serviceMsPer1000)).mean,
    p50OffMs: middle(off, run => run.load.p50Millis),
    p50OnMs: middle(on, run => run.load.p50Millis),
    p99OffMs: middle(off, run => run.load.p99Millis),
    p99OnMs: middle(on, run => run.load.p99Millis),
    events: sum(run => run.events),
    lostEvents: sum(run => run.lostEvents),
    spans: sum(run => run.spans),
    spanShare: sum(run => run.spans) / (requests * target.spansPerRequest),
    rssMiB: Math.max(...on.map(run => run.rssMiB)),
  }
}
