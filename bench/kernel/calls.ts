import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../src/capture/native-addon.js'

/** What is called: send and receive over loopback TCP, getppid(), write to /dev/null. */
export type CallKind = 'tcp' | 'getppid' | 'null'

/** The process of bench/kernel/calls.c whose calls are measured. */
export interface Calls {
  readonly pid: number
  readonly port: number
  /** Opens the connection that is measured. */
  connect(): Promise<void>
  /** ns a call. */
  run(kind: CallKind, laps: number): Promise<number>
  /** Has its thread look as if it ran a greenlet and an asyncio task: what has to be known to find them. */
  pretendCarriers(): Promise<PretendedCarriers>
  stop(): Promise<void>
}

export interface PretendedCarriers {
  readonly greenletType: number
  readonly contextType: number
  readonly key: number
}

/** Compiles and starts it. Throws when there is no C compiler. */
export async function startCalls(): Promise<Calls> {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-bench-'))
  const program = join(folder, 'calls')
  const source = join(packageRoot(), 'bench/kernel/calls.c')
  const compiled = spawnSync('cc', ['-O2', '-Wall', '-Wextra', '-o', program, source], { encoding: 'utf8' })
  if (compiled.status !== 0) {
    rmSync(folder, { recursive: true, force: true })
    throw new Error(`cannot compile ${source}: ${compiled.error?.message ?? compiled.stderr}`)
  }
  // Kept on one CPU so that draining the ring happens on another one, as it does in the daemon.
  const child = spawn(program, [String(cpus().length - 1)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async (): Promise<number> => {
    const line = await lines.next()
    if (line.done === true) throw new Error('the measured process ended early')
    return Number(line.value)
  }
  const ask = (command: string): Promise<number> => {
    child.stdin.write(`${command}\n`)
    return answer()
  }
  const port = await answer()
  return {
    pid: child.pid!,
    port,
    connect: async () => {
      await ask('connect')
    },
    run: (kind, laps) => ask(`${kind} ${laps}`),
    pretendCarriers: async () => ({
      greenletType: await ask('carriers 1'),
      contextType: await ask('carriers 2'),
      key: await ask('carriers 3'),
    }),
    stop: async () => {
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.stdin.end()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
