// node scripts/openstack.mjs up|down|status|tempest|trace …: the OpenStack lab of test/openstack/.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StepError, say } from './progress.mjs'
import { runNode } from './run-node.mjs'
import { main, root } from './set-up.mjs'
import { ensureSystemPackages } from './system-packages.mjs'

const COMMANDS = ['install', 'up', 'down', 'status', 'tempest', 'trace', 'bad-input']
const HELP = `npm run openstack -- COMMAND: a real OpenStack on this machine, for tests and measurements

  up             installs what is missing (190 s), configures, starts (133 s the first time, 45 s later), waits until it works
  down [purge]   stops it; purge: deletes its data as well
  status         its processes, with memory and ports
  tempest SET    smoke, identity, image, flavors, servers, all; or: regex REGEX
  trace FILE …   runs \`openstack …\` under OSProfiler, its trace as JSON into FILE
  bad-input      what goes wrong around Ghostspan, while it watches the lab (--help)
  install        the packages only

Environment: OSLAB (its folder, /var/lib/ghostspan-openstack), OSLAB_PROFILER=0 (OSProfiler off), KAFKA=1 (notifications
to a Kafka broker that runs on KAFKA_PORT). Needs root; everything listens on loopback only.`

function run(script, args) {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', [join(root, 'test', 'openstack', 'lab', `${script}.sh`), ...args], { stdio: 'inherit' })
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 130)))
  })
}

await main(async () => {
  const [command, ...args] = process.argv.slice(2)
  if (command === undefined || command === '--help' || command === 'help') {
    say(HELP)
    return command === undefined ? 1 : 0
  }
  if (!COMMANDS.includes(command))
    throw new StepError(`openstack: there is no '${command}'; one of ${COMMANDS.join(', ')}`)
  if (process.getuid() !== 0)
    throw new StepError('openstack: the lab starts services as users of their own: run it as root')
  if (command === 'up' || command === 'install') {
    const missing = await ensureSystemPackages(root, { openstack: true })
    const needed = missing.filter(name => !existsSync(`/usr/share/doc/${name}`))
    if (needed.length > 0) throw new StepError(`openstack: these packages could not be installed: ${needed.join(' ')}`)
    if (command === 'install') return 0
  }
  if (command === 'bad-input')
    return runNode(['--import', 'tsx', join(root, 'test', 'openstack', 'bad-input.ts'), ...args])
  return run(command, args)
})
