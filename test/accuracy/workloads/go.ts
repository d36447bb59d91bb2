import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { program } from '../../support/requirements.js'
import type { Lab } from '../lab.js'
import { repositoryPath } from '../repository-path.js'
import { certain, type Goal, handedOver, type Workload } from '../workload.js'

const outliving: Goal = { sure: 0.95, precision: 1, recall: 0.8 }

/** Built once for each version of the source and the toolchain, and kept in the user's cache. */
function builtService(): string {
  const source = repositoryPath('test', 'accuracy', 'programs', 'go')
  const { stdout: version } = spawnSync('go', ['version'], { encoding: 'utf8' })
  const name = createHash('sha256')
    .update(version)
    .update(readFileSync(join(source, 'main.go')))
    .digest('hex')
  const cache = join(homedir(), '.cache', 'ghostspan')
  const path = join(cache, `accuracy-go-${name.slice(0, 12)}`)
  if (existsSync(path)) return path
  mkdirSync(cache, { recursive: true })
  const { status, stderr } = spawnSync('go', ['build', '-o', path, '.'], { cwd: source, encoding: 'utf8' })
  if (status !== 0) throw new Error(`go build failed:\n${stderr}`)
  return path
}

async function serve(lab: Lab, work: readonly string[]): Promise<void> {
  const service = lab.program('go-service')
  copyFileSync(builtService(), service)
  await lab.serve({ name: 'go-service', command: service, args: [lab.folder, ...work] })
}

const go = (name: string, about: string, work: readonly string[], goal: Goal = certain): Workload => ({
  name,
  carrier: 'goroutine',
  about,
  needs: [program('go')],
  concurrency: [1, 10, 100],
  requests: 400,
  goal,
  start: lab => serve(lab, work),
})

export const goWorkloads: readonly Workload[] = [
  {
    ...go('go', 'own connections, spawned (two levels), fan-out, http.Client pooled and not, background', [
      ...['direct', 'spawn', 'fan', 'client', 'fresh', 'background'],
    ]),
    short: true,
  },
  {
    ...go('go-fresh', 'the same, a new connection for each request', [
      ...['direct', 'spawn', 'fan', 'client', 'fresh', 'background'],
    ]),
    keepAlive: false,
    concurrency: [100],
  },
  go('go-tight', 'http.Client with eight connections for all', ['tight', 'background']),
  go('go-late', 'goroutines that outlive their request', ['late', 'background'], outliving),
  go('go-deep', 'the goroutine in the middle makes no call', ['deep', 'background'], handedOver),
  go('go-channel', 'jobs handed to eight goroutines', ['channel', 'background'], handedOver),
]
