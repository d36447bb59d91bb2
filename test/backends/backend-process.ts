import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { repositoryRoot } from './repository-root.js'

/** A backend behind one of the scripts in this folder, on ports of its own. */
export interface Backend {
  /** False: it would have to be built first. */
  cached(): boolean
  /** Builds it if need be, starts it, waits until it is ready. What it says of itself: `otlp_grpc` → URL. */
  start(): Promise<Record<string, string>>
  stop(): Promise<void>
  /** The same, for the last moments of this process. */
  stopNow(): void
}

/**
 * @param script `jaeger` or `collector`
 * @param environment ports, and `GHOSTSPAN_STATE`: where pid, log and configuration lie
 */
export function backend(script: string, environment: Readonly<Record<string, string>>): Backend {
  const path = join(repositoryRoot(), 'test', 'backends', `${script}.sh`)
  const env = { ...process.env, ...environment }
  const run = (verb: string): Promise<string> =>
    new Promise((resolve, reject) => {
      // The program that is started keeps our stderr open no longer than the script: its own goes to a file.
      const child = spawn('bash', [path, verb], { env, stdio: ['ignore', 'pipe', 'inherit'] })
      let out = ''
      child.stdout.on('data', chunk => {
        out += chunk
      })
      child.once('error', reject)
      child.once('close', code => {
        if (code === 0) resolve(out)
        else reject(new Error(`${script}.sh ${verb} ended with ${code}`))
      })
    })
  return {
    cached: () => spawnSync('bash', [path, 'cached'], { env }).status === 0,
    start: async () =>
      Object.fromEntries(
        (await run('start'))
          .trim()
          .split('\n')
          .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      ),
    stop: async () => {
      await run('stop')
    },
    stopNow: () => {
      spawnSync('bash', [path, 'stop'], { env, stdio: 'ignore' })
    },
  }
}
