import { spawn } from 'node:child_process'

export interface Load {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly p50Millis: number
  readonly p99Millis: number
}

export interface LoadOptions {
  readonly url: string
  readonly seconds: number
  readonly connections: number
  readonly threads?: number
}

/** Runs wrk (Debian's package) and reads its report. */
export async function runWrk({ url, seconds, connections, threads = 1 }: LoadOptions): Promise<Load> {
  const args = [`-t${threads}`, `-c${connections}`, `-d${seconds}s`, '--latency', url]
  const report = await new Promise<string>((resolve, reject) => {
    const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
    child.once('error', problem => reject(new Error(`wrk cannot be started (Debian package wrk): ${problem.message}`)))
    child.once('close', () => resolve(text))
  })
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(report)
  if (bad !== null) throw new Error(`wrk: ${bad[1]} answers were no success`)
  return {
    requests: number(report, /(\d+) requests in/),
    requestsPerSecond: number(report, /Requests\/sec:\s+([\d.]+)/),
    p50Millis: millis(report, /50%\s+([\d.]+)(us|ms|s)/),
    p99Millis: millis(report, /99%\s+([\d.]+)(us|ms|s)/),
  }
}

function number(report: string, pattern: RegExp): number {
  const match = pattern.exec(report)
  if (match === null) throw new Error(`wrk: its report has no ${pattern}:\n${report}`)
  return Number(match[1])
}

function millis(report: string, pattern: RegExp): number {
  const match = pattern.exec(report)
  if (match === null) return Number.NaN
  return Number(match[1]) * (match[2] === 's' ? 1000 : match[2] === 'us' ? 0.001 : 1)
}
