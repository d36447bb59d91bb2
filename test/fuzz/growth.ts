import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { InputStream } from '../../src/protocols/input-stream.js'
import type { ExchangeSink } from '../../src/protocols/protocol.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { verbatimRoutes } from '../protocols/drive.js'
import { callsOf, type Flood } from './floods.js'

export interface Growth {
  readonly flood: string
  /** CPU for a byte of the short and of the long flood. */
  readonly shortNsPerByte: number
  readonly longNsPerByte: number
  /** What the connection keeps behind the long flood. */
  readonly keptKiB: number
  readonly wrong: string | undefined
}

const SHORT = 64 * 1024
const LONG = 512 * 1024
/** How much more a byte of eight times as many may cost, before garbage and a busy machine no longer explain it. */
const MOST_GROWTH = 4
/** Below that a byte is cheap, whatever the ratio. */
const CHEAP_NS = 60
const DEAR_NS = 4_000
/** Some thousand exchanges that wait for their answers, and a message of 64 KiB. */
const MOST_KEPT_KIB = 16 * 1024
const ATTEMPTS = 2

const IGNORES: ExchangeSink = {
  begin: () => {},
  requestEnd: () => {},
  responseBegin: () => {},
  end: () => {},
  abandon: () => {},
}

/** Whether time grows as the bytes do, and memory does not. */
export function measureGrowth(flood: Flood, cpuMillis: () => number): Growth {
  const short = callsOf(flood, SHORT)
  const long = callsOf(flood, LONG)
  run(flood, short)
  let shortNsPerByte = Number.POSITIVE_INFINITY
  let longNsPerByte = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    shortNsPerByte = Math.min(shortNsPerByte, timed(flood, short, cpuMillis))
    longNsPerByte = Math.min(longNsPerByte, timed(flood, long, cpuMillis))
  }
  const before = used()
  const connection = run(flood, long)
  const keptKiB = Math.max(0, Math.round((used() - before) / 1024))
  connection.close()
  let wrong: string | undefined
  if (longNsPerByte > CHEAP_NS && longNsPerByte > MOST_GROWTH * shortNsPerByte)
    wrong = 'time grows faster than the bytes'
  else if (longNsPerByte > DEAR_NS) wrong = 'a byte takes too long'
  else if (keptKiB > MOST_KEPT_KIB) wrong = 'too much is kept'
  return {
    flood: flood.name,
    shortNsPerByte: Math.round(shortNsPerByte),
    longNsPerByte: Math.round(longNsPerByte),
    keptKiB,
    wrong,
  }
}

function timed(flood: Flood, calls: ReturnType<typeof callsOf>, cpuMillis: () => number): number {
  const bytes = calls.reduce((sum, call) => sum + call.bytes.length, 0)
  const began = cpuMillis()
  run(flood, calls).close()
  return ((cpuMillis() - began) * 1e6) / bytes
}

function run({ module, sender }: Flood, calls: ReturnType<typeof callsOf>) {
  const connection = module.open({ sink: IGNORES, counters: createCounters(), joined: false, routes: verbatimRoutes })
  const stream = new InputStream()
  let timeNs = 0
  for (const { bytes } of calls) {
    if (connection.failed) break
    stream.push(bytes, 0, bytes.length, ++timeNs)
    connection.read(sender, stream)
    stream.settle()
  }
  return connection
}

let collect: (() => void) | undefined

function used(): number {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
