/** One HTTP call as Tempest's own log tells of it: the ground truth, which nothing of ours has touched. */
export interface TempestCall {
  readonly pid: number
  readonly method: string
  readonly path: string
  readonly status: number
  readonly port: number
  /** When it was written, right after the answer, µs since the epoch; whole ms. */
  readonly endUs: number
  readonly durationUs: number
}

const REQUEST =
  /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\.(\d{3}) (\d+) INFO tempest\.lib\.common\.rest_client \[.*?\] Request \(.*?\): (\d{3}) ([A-Z]+) http:\/\/[^:/]+:(\d+)([^ ?]*)\S* ([\d.]+)s/

/** Calls in the order of the log, whose times are local. */
export function tempestCalls(log: string): TempestCall[] {
  const calls: TempestCall[] = []
  for (const line of log.split('\n')) {
    const match = REQUEST.exec(line)
    if (match === null) continue
    const [, day, time, millis, pid, status, method, port, path, seconds] = match
    calls.push({
      pid: Number(pid),
      method: method!,
      path: path === '' ? '/' : path!,
      status: Number(status),
      port: Number(port),
      endUs: (Date.parse(`${day}T${time}`) + Number(millis)) * 1_000,
      durationUs: Number(seconds) * 1e6,
    })
  }
  return calls
}
