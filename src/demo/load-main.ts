import { runLoad } from './load.js'
import type { LoadOrder, LoadReport } from './load-process.js'

/** The program of the load's process: takes one order, reports, and ends with its channel. */
const tell = (report: LoadReport): void => {
  process.send?.(report)
}

process.once('disconnect', () => process.exit())
process.once('message', (order: LoadOrder) => {
  const answered = (count: number): void => tell({ kind: 'answered', count })
  void runLoad({ ...order, answered }).then(result => tell({ kind: 'done', result }))
})
