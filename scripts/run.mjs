// node scripts/run.mjs bench/kernel.js …: sets up whatever is missing, then runs a compiled program.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StepError } from './progress.mjs'
import { runNode } from './run-node.mjs'
import { main, root, setUp } from './set-up.mjs'

await main(async () => {
  const [name, ...args] = process.argv.slice(2)
  if (name === undefined) throw new StepError('run.mjs: say which compiled program to run, for example bench/kernel.js')
  await setUp({ measure: true })
  const program = join(root, 'dist', name)
  if (!existsSync(program)) throw new StepError(`run.mjs: there is no ${program}`)
  return runNode([program, ...args])
})
