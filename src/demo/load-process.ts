import { fork } from 'node:child_process'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LoadOptions, LoadResult } from './load.js'

/** What the load's process is told, once. */
export type LoadOrder = Pick<LoadOptions, 'port' | 'requests' | 'concurrency'>

export type LoadReport =
  | { readonly kind: 'answered'; readonly count: number }
  | { readonly kind: 'done'; readonly result: LoadResult }

/**
 * Runs the load in a process of its own: neither our own process nor the far ends of its connections are ever traced.
 * @throws Error when that process ends without a result
 */
export function runLoadProcess(options: LoadOptions): Promise<LoadResult> {
  const self = fileURLToPath(import.meta.url)
  const child = fork(join(dirname(self), `load-main${extname(self)}`), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
    // Ctrl-C is for us; we end the load by its channel.
    detached: true,
    ...(options.signal && { signal: options.signal }),
  })
  return new Promise((resolve, reject) => {
    child.on('message', (report: LoadReport) => {
      if (report.kind === 'answered') options.answered(report.count)
      else {
        resolve(report.result)
        child.disconnect()
      }
    })
    child.once('error', reject)
    child.once('exit', (code, signal) =>
      reject(new Error(`demo: the load ended early (${signal ?? `exit code ${code}`})`)),
    )
    const { port, requests, concurrency } = options
    const order: LoadOrder = { port, requests, concurrency }
    child.send(order)
  })
}
