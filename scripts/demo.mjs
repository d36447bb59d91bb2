// npm run demo: sets up whatever is missing, then runs the demo.
import { join } from 'node:path'
import { runNode } from './run-node.mjs'
import { main, root, setUp } from './set-up.mjs'

await main(async () => {
  const { seconds } = await setUp()
  const program = join(root, 'dist', 'src', 'cli', 'main.js')
  return runNode([program, 'demo', '--setup-seconds', seconds.toFixed(3), ...process.argv.slice(2)])
})
