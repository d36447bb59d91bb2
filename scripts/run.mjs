// node scripts/run.mjs [--openstack] bench/kernel.js …: sets up whatever is missing, then runs a compiled program.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StepError } from './progress.mjs'
import { runNode } from './run-node.mjs'
import { main, root, setUp } from './set-up.mjs'

await main(async () => {
  const words = process.argv.slice(2)
  // The OpenStack lab is half a thousand packages: only what runs on it asks for them.
  const openstack = words[0] === '--openstack'
  const [name, ...args] = openstack ? words.slice(1) : words
  if (name === undefined) throw new StepError('run.mjs: say which compiled program to run, for example bench/kernel.js')
  await setUp({ measure: true, openstack })
  const program = join(root, 'dist', name)
  if (!existsSync(program)) throw new StepError(`run.mjs: there is no ${program}`)
  return runNode([program, ...args])
})
