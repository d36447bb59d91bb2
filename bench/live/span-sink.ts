import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Receives the instrumented service's spans and counts them. */
export interface SpanSink {
  readonly port: number
  counts(): Promise<{ spans: number; withParent: number }>
  stop(): void
}

export async function startSpanSink(python: string): Promise<SpanSink> {
  const script = fileURLToPath(new URL('../../../bench/live/python/span_sink.py', import.meta.url))
  const child = spawn(python, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const port = Number(line)
    return {
      port,
      counts: async () =>
        (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { spans: number; withParent: number },
      stop: () => child.kill('SIGTERM'),
    }
  }
  throw new Error('the span counter did not start')
}
