import { parentPort, workerData } from 'node:worker_threads'
import { type CaseResult, checkCase, checkRecovery, createCorpus } from './check-case.js'
import { captureSeeds, fixtureSeeds } from './seeds.js'

/** What a worker is told, and what it tells: the number of the case it is at, through shared memory. */
export interface FuzzTask {
  readonly runSeed: number
  readonly from: number
  readonly untilMillis: number
  readonly seedFolders: readonly string[]
  /** [0]: cases done, so that a worker that hangs is noticed; [1]: most resident memory, MiB. */
  readonly progress: Int32Array
}

export interface FuzzFinding extends CaseResult {
  readonly index: number
}

/** A case of each so many is one of recovery, which takes several times as long. */
const RECOVERY_EVERY = 40
const LOOK_EVERY = 256

const task = workerData as FuzzTask
const seeds = await fixtureSeeds()
for (const folder of task.seedFolders) seeds.push(...(await captureSeeds(folder)))
const corpus = createCorpus(seeds)
const { recoverable } = corpus
/** Milliseconds of CPU: what waits for the processor is not slow. */
const clock = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

let index = task.from
const found = (result: CaseResult | undefined): void => {
  if (result !== undefined && result.verdict !== 'ok')
    parentPort!.postMessage({ ...result, index } satisfies FuzzFinding)
}
while (index % LOOK_EVERY !== 0 || performance.now() < task.untilMillis) {
  found(checkCase(corpus, task.runSeed, index, clock))
  if (index % RECOVERY_EVERY === 0)
    found(checkRecovery(recoverable[(index / RECOVERY_EVERY) % recoverable.length]!, task.runSeed, index))
  index++
  Atomics.store(task.progress, 0, index)
  if (index % 65_536 === 0) {
    const mebibytes = Math.round(process.memoryUsage.rss() / 2 ** 20)
    Atomics.store(task.progress, 1, Math.max(mebibytes, Atomics.load(task.progress, 1)))
  }
}
parentPort!.postMessage('done')
