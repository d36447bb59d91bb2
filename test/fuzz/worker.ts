import { parentPort, workerData } from 'node:worker_threads'
import { type CaseResult, checkCase, checkRecovery, createCorpus } from './check-case.js'
import { cpuMillis } from './cpu-clock.js'
import { allSeeds } from './seeds.js'

/** What a worker is told, and what it tells: the number of the case it is at, through shared memory. */
export interface FuzzTask {
  readonly runSeed: number
  readonly from: number
  readonly millis: number
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
const corpus = createCorpus(await allSeeds(task.seedFolders))
const { recoverable } = corpus

let index = task.from
/** Not counting what it took to get here. */
const until = performance.now() + task.millis
const found = (result: CaseResult | undefined): void => {
  if (result !== undefined && result.verdict !== 'ok')
    parentPort!.postMessage({ ...result, index } satisfies FuzzFinding)
}
while (index % LOOK_EVERY !== 0 || performance.now() < until) {
  found(checkCase(corpus, task.runSeed, index, cpuMillis))
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
