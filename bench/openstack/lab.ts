import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../../test/backends/repository-root.js'
import { familyOf } from '../live/process-usage.js'

export const labFolder = process.env['OSLAB'] ?? '/var/lib/ghostspan-openstack'
/** Ours in the selection: the lab's services and back ends by their users, its clients by their command lines. */
export const labRules: readonly string[] = [
  ...['keystone', 'glance', 'placement', 'nova', 'neutron', 'mysql', 'rabbitmq', 'memcache'].map(
    user => `{ action: include, user: "${user}" }`,
  ),
  '{ action: include, command_line: "/usr/bin/openstack" }',
  '{ action: include, command_line: "tempest" }',
]

const SERVICES = /^(keystone|placement-api|nova-|glance-api|neutron-api)/

export interface Ran {
  readonly code: number
  readonly output: string
}

/** One of the lab's scripts; what it prints goes to `progress` line by line. */
export function runLab(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  progress: (line: string) => void,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const path = join(repositoryRoot(), 'test', 'openstack', 'lab', `${script}.sh`)
    const child = spawn('bash', [path, ...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const take = (text: string): void => {
      output = (output + text).slice(-200_000)
      for (const line of text.split('\n')) if (line.trim() !== '') progress(line.trimEnd())
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    child.on('error', reject)
    child.on('exit', code => resolve({ code: code ?? 1, output }))
  })
}

/** Processes of the lab that live now: the OpenStack services, and what stands behind them. */
export function labProcesses(): { services: number[]; backEnds: number[] } {
  const run = join(labFolder, 'run')
  const services: number[] = []
  const backEnds: number[] = []
  if (!existsSync(run)) return { services, backEnds }
  for (const name of readdirSync(run)) {
    if (!name.endsWith('.pid')) continue
    const pid = Number(readFileSync(join(run, name), 'utf8'))
    if (existsSync(`/proc/${pid}`)) (SERVICES.test(name) ? services : backEnds).push(...familyOf(pid))
  }
  return { services, backEnds }
}

/** Busy time of all processors so far, ms (proc(5), /proc/stat: user, nice, system, irq, softirq, steal left out). */
export function machineBusyMillis(): number {
  const fields = readFileSync('/proc/stat', 'latin1').split('\n')[0]!.trim().split(/\s+/).slice(1).map(Number)
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields
  return (user + nice + system + irq + softirq) * 10
}
