import { type ChildProcess, fork } from 'node:child_process'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LoadOrder, LoadResult } from './load.js'
import type { Note } from './note.js'

export type SurroundingsOrder =
  | { readonly kind: 'backend'; readonly port: number; readonly delayMillis: number }
  | ({ readonly kind: 'load' } & LoadOrder)
  | { readonly kind: 'count' }
  | { readonly kind: 'notes' }

export type SurroundingsReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answered'; readonly count: number }
  | { readonly kind: 'loaded'; readonly result: LoadResult }
  | { readonly kind: 'counted'; readonly count: number }
  | { readonly kind: 'noted'; readonly notes: readonly Note[] }
  | { readonly kind: 'failed'; readonly message: string }

/** A process that is not traced: a backend, or a load. */
export interface Surroundings {
  startBackend(port: number, delayMillis: number): Promise<void>
  load(order: LoadOrder, answered: (count: number) => void): Promise<LoadResult>
  /** Calls for requests that the backend has had so far. */
  count(): Promise<number>
  /** What the backend has noted so far. */
  notes(): Promise<readonly Note[]>
  stop(): void
}

export function createSurroundings(signal: AbortSignal): Surroundings {
  const self = fileURLToPath(import.meta.url)
  const child = fork(join(dirname(self), `surroundings-main${extname(self)}`), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
    // Ctrl-C is for us; we end it by its channel.
    detached: true,
  })
  const ask = <K extends SurroundingsReport['kind']>(
    order: SurroundingsOrder,
    kind: K,
    answered: (count: number) => void = () => {},
  ) => converse(child, order, kind, answered, signal)
  return {
    startBackend: async (port, delayMillis) => {
      await ask({ kind: 'backend', port, delayMillis }, 'ready')
    },
    load: async (order, answered) => (await ask({ kind: 'load', ...order }, 'loaded', answered)).result,
    count: async () => (await ask({ kind: 'count' }, 'counted')).count,
    notes: async () => (await ask({ kind: 'notes' }, 'noted')).notes,
    stop: () => {
      if (child.connected) child.disconnect()
    },
  }
}

function converse<K extends SurroundingsReport['kind']>(
  child: ChildProcess,
  order: SurroundingsOrder,
  kind: K,
  answered: (count: number) => void,
  signal: AbortSignal,
): Promise<Extract<SurroundingsReport, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      child.off('message', onReport)
      child.off('exit', onExit)
      signal.removeEventListener('abort', onAbort)
      act()
    }
    const onReport = (report: SurroundingsReport): void => {
      if (report.kind === 'answered') answered(report.count)
      else if (report.kind === 'failed') settle(() => reject(new Error(report.message)))
      else if (report.kind === kind) settle(() => resolve(report as Extract<SurroundingsReport, { kind: K }>))
    }
    const onExit = (): void => settle(() => reject(new Error(`the process of the ${order.kind} ended early`)))
    const onAbort = (): void => settle(() => reject(signal.reason as Error))
    if (signal.aborted) return onAbort()
    child.on('message', onReport)
    child.once('exit', onExit)
    signal.addEventListener('abort', onAbort)
    child.send(order)
  })
}
