import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The measured service's libraries and OpenTelemetry's automatic instrumentation of them, from PyPI. */
const PACKAGES = [
  'flask==3.1.2',
  'gunicorn==23.0.0',
  'pymysql==1.1.2',
  'redis==7.0.1',
  'pymemcache==4.0.0',
  'requests==2.32.5',
  'opentelemetry-distro',
  'opentelemetry-exporter-otlp-proto-http',
  'opentelemetry-instrumentation-flask',
  'opentelemetry-instrumentation-wsgi',
  'opentelemetry-instrumentation-pymysql',
  'opentelemetry-instrumentation-redis',
  'opentelemetry-instrumentation-pymemcache',
  'opentelemetry-instrumentation-requests',
  'opentelemetry-instrumentation-urllib3',
]

/** A virtual environment with these packages, made once and kept in the user's cache. Returns its folder. */
export function pythonVenv(progress: (text: string) => void): string {
  const name = createHash('sha256').update(PACKAGES.join(' ')).digest('hex').slice(0, 12)
  const cache = join(homedir(), '.cache', 'ghostspan')
  const folder = join(cache, `bench-python-${name}`)
  if (existsSync(join(folder, 'bin', 'gunicorn'))) return folder
  progress('installing the Python service and OpenTelemetry for it (once)')
  mkdirSync(cache, { recursive: true })
  rmSync(folder, { recursive: true, force: true })
  run('python3', ['-m', 'venv', folder])
  try {
    run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES])
  } catch (problem) {
    rmSync(folder, { recursive: true, force: true })
    throw problem
  }
  return folder
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (error !== undefined) throw new Error(`${command}: ${error.message}`)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr.slice(-2_000)}`)
}
