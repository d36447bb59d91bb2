import { type Backend, startBackend } from './backend.js'
import { runLoad } from './load.js'
import type { SurroundingsOrder, SurroundingsReport } from './surroundings.js'

/** The program of the process in which the backend and the load run; ends with its channel. */
let backend: Backend | undefined

const tell = (report: SurroundingsReport): void => {
  process.send?.(report)
}

async function obey(order: SurroundingsOrder): Promise<void> {
  if (order.kind === 'backend') {
    backend = await startBackend(order.port, order.delayMillis, Math.random)
    tell({ kind: 'ready' })
  } else if (order.kind === 'load') {
    const result = await runLoad(order, count => tell({ kind: 'answered', count }))
    tell({ kind: 'loaded', result })
  } else if (order.kind === 'count') {
    tell({ kind: 'counted', count: backend?.calls ?? 0 })
  } else {
    tell({ kind: 'noted', notes: backend?.notes ?? [] })
  }
}

process.once('disconnect', () => process.exit())
process.on('message', (order: SurroundingsOrder) => {
  obey(order).catch((problem: Error) => tell({ kind: 'failed', message: problem.message }))
})
