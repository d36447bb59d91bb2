import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunFolder } from '../../src/demo/run-folder.js'
import { type Daemon, startDaemon } from './daemon.js'
import { startNginxTarget } from './nginx-target.js'
import type { PairedOptions } from './paired-runs.js'

const REQUESTS_PER_SECOND = 5_000
const SLICE_MILLIS = 20
const GOAL_MIB = 150

/** nginx at a fixed rate for a while: is resident memory (without the archive's engine) bounded and flat? */
export async function runSteady(
  folder: RunFolder,
  options: PairedOptions,
  finish: (result: Record<string, unknown>, reached: boolean) => number,
): Promise<number> {
  const target = await startNginxTarget(folder)
  const daemon = await startDaemon({ executables: target.executables, archive: options.archive })
  try {
    const samples: number[] = []
    const sampler = setInterval(() => samples.push(daemon.rssMiB()), 2_000)
    const cpu = daemon.cpuMillis()
    const requests = await load(target.url, options, daemon)
    await sleep(4_000)
    clearInterval(sampler)
    const half = samples.slice(samples.length >> 1)
    const rssMiB = Math.max(...samples)
    const status = await daemon.status()
    return finish(
      {
        target: 'steady',
        archive: options.archive,
        requests,
        requestsPerSecond: requests / options.seconds,
        ourCpuMsPer1000: ((daemon.cpuMillis() - cpu) * 1000) / requests,
        rssMiB,
        // The second half against itself: what still grows after the start.
        rssGrowthMiB: half.at(-1)! - half[0]!,
        rssSamplesMiB: samples.map(sample => Math.round(sample)),
        events: status.events,
        lostEvents: status.lostEvents,
        spans: status.spans,
      },
      rssMiB <= GOAL_MIB,
    )
  } finally {
    await daemon.stop()
    await target.stop()
  }
}

async function load(url: string, { seconds, progress }: PairedOptions, daemon: Daemon): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const perSlice = (REQUESTS_PER_SECOND * SLICE_MILLIS) / 1000
  const slices = (seconds * 1000) / SLICE_MILLIS
  let done = 0
  const began = performance.now()
  for (let slice = 0; slice < slices; slice++) {
    await Promise.all(Array.from({ length: perSlice }, () => fetchOnce(url, agent)))
    done += perSlice
    const ahead = began + (slice + 1) * SLICE_MILLIS - performance.now()
    if (ahead > 0) await sleep(ahead)
    if (performance.now() - began > seconds * 1000) break
    if (slice % 500 === 499) progress(`${done} requests, ${daemon.rssMiB().toFixed(0)} MiB`)
  }
  agent.destroy()
  return done
}

function fetchOnce(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, response => response.resume().once('end', resolve)).once('error', reject)
  })
}
