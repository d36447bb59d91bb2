import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureOrigin } from '../../src/capture/event-source.js'
import { createLiveSource, type LiveSource, type LiveSourceOptions } from '../../src/capture/live-source.js'
import { packageRoot } from '../../src/capture/native-addon.js'
import { createPipeline } from '../../src/create-pipeline.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedSpan } from '../../src/traces/span.js'
import { hooksOfTests } from '../support/hooks.js'
import { accepts, freePort } from '../support/server-process.js'

/** A service under load beside a backend, captured from its start or from later on. */
export interface ServiceRun {
  /** The interpreter, then its arguments; 'PORT' and 'BACKEND' are replaced. */
  readonly command: readonly string[]
  readonly concurrency: number
  readonly requests: number
  readonly keepAlive: boolean
  /** Start the service before the capture. Default false. */
  readonly before?: boolean
  readonly source?: Partial<LiveSourceOptions>
  /** Called with the batches as they come. */
  readonly tap?: (batch: Uint8Array, origin: CaptureOrigin) => void
  /** Called once the service accepts connections, before the load. */
  readonly whenReady?: (run: {
    readonly pid: number
    readonly port: number
    readonly source: LiveSource
  }) => Promise<void>
}

/** What the marks in the paths, which no evidence reads, say about the links. */
export interface Verdict {
  /** Calls that a request caused. */
  readonly calls: number
  /** … of them, those whose parent is that request. */
  readonly right: number
  /** Calls (background ones too) whose parent is another request. */
  readonly wrong: number
  readonly background: number
  readonly requests: number
  readonly answered: number
  readonly counters: Readonly<Record<string, number>>
  readonly carriers: ReturnType<LiveSource['carriers']>
  readonly spans: readonly FinishedSpan[]
}

export const services = (file: string): string => join(packageRoot(), 'test/carriers/services', file)

export async function runService(t: TestContext, run: ServiceRun): Promise<Verdict> {
  const backend = await startBackend(t)
  const port = await freePort()
  const command = run.command.map(each => each.replace('PORT', String(port)).replace('BACKEND', String(backend.port)))
  const start = async (): Promise<number> => {
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'], detached: true })
    t.after(() => endGroup(child.pid!))
    const end = performance.now() + 30_000
    while (!(await accepts(port))) {
      if (child.exitCode !== null || performance.now() > end) throw new Error(`${command.join(' ')} does not start`)
      await sleep(20)
    }
    return child.pid!
  }
  let pid = run.before === true ? await start() : 0
  const counters = createCounters()
  const source = await createLiveSource({
    counters,
    ownChildren: false,
    hooks: hooksOfTests,
    selection: { rules: [{ action: 'include', commandLine: `${services('')}.*${port}` }], otherwise: 'exclude' },
    ...run.source,
  })
  t.after(() => source.close())
  const spans: FinishedSpan[] = []
  const sink = {
    accept: (trace: { readonly spans: readonly FinishedSpan[] }) => void spans.push(...trace.spans),
    flush: async () => {},
    close: async () => {},
  }
  const tap = run.tap === undefined ? {} : { tap: (batch: Uint8Array) => run.tap!(batch, source.origin) }
  const pipeline = createPipeline({ source, sinks: [sink], counters, quietMillis: 300, ...tap })
  const over = new AbortController()
  const ended = pipeline.run(over.signal)
  if (run.before !== true) pid = await start()
  await run.whenReady?.({ pid, port, source })
  await sleep(200)
  const { concurrency, requests, keepAlive } = run
  const [answered] = await lines([services('load.mjs'), port, concurrency, requests, keepAlive ? 1 : 0])
  await sleep(300)
  const carriers = source.carriers()
  over.abort()
  await ended
  await source.close()
  return { ...judge(spans), answered: Number(answered), counters: counters.snapshot(), carriers, spans }
}

async function startBackend(t: TestContext): Promise<{ port: number }> {
  const child = spawn(process.execPath, [services('backend.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  return { port: Number(line) }
}

async function lines(args: readonly (string | number)[]): Promise<string[]> {
  const child = spawn(process.execPath, args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await once(child, 'close')
  return text.trim().split('\n')
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}

const pathOf = (span: FinishedSpan): string => String(span.attributes['url.path'] ?? span.attributes['url.full'] ?? '')

function judge(spans: readonly FinishedSpan[]): Pick<Verdict, 'calls' | 'right' | 'wrong' | 'background' | 'requests'> {
  const byId = new Map(spans.map(span => [span.spanId, span]))
  const verdict = { calls: 0, right: 0, wrong: 0, background: 0, requests: 0 }
  for (const span of spans) {
    if (span.kind === 'server') verdict.requests++
    // The load's own requests have no number.
    const mark = /\/m\/([RB]\d+)\/\d+$/.exec(pathOf(span))?.[1]
    if (mark === undefined || span.kind === 'server') continue
    const parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId)
    const owner = parent === undefined ? undefined : /\/m\/([RB]\d+)/.exec(pathOf(parent))?.[1]
    if (mark.startsWith('B')) verdict.background++
    else verdict.calls++
    if (owner === undefined) continue
    if (owner === mark) verdict.right++
    else verdict.wrong++
  }
  return verdict
}
