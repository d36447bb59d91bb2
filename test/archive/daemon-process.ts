// The archive's part of a daemon, as a process that tests can kill: node daemon-process.js DIRECTORY, then messages
// { write: count, seed } | { away: true } | { stop: true }; each is answered when it is done.
import { join } from 'node:path'
import type { Archive } from '../../src/archive/archive.js'
import { connectArchive } from '../../src/archive/connect.js'
import { migrate } from '../../src/archive/migrate.js'
import { createArchiveSink } from '../../src/archive/sink.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { syntheticTraces } from './synthetic-traces.js'

interface Order {
  readonly write?: number
  readonly seed?: number
  readonly away?: boolean
  readonly stop?: boolean
}

const directory = process.argv[2]!
const real = await connectArchive({ dataDirectory: directory, role: 'daemon' })
let away = false
const archive: Archive = {
  ...real,
  run: work => (away ? Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' })) : real.run(work)),
}
const sink = createArchiveSink({
  archive,
  prepare: () => migrate(archive),
  spoolDirectory: join(directory, 'spool'),
  counters: createCounters(),
})
/** The tests' own clock: the same traces in both processes. */
const startNs = BigInt(Math.floor(Date.now() / 86_400_000) * 86_400) * 1_000_000_000n

process.on('message', async (order: Order) => {
  if (order.write !== undefined) {
    for (const trace of syntheticTraces({ count: order.write, seed: order.seed ?? 1, startNs, gapNs: 1e5 })) {
      sink.accept(trace)
    }
    await sink.flush()
  }
  if (order.away === true) away = true
  if (order.stop === true) {
    await sink.close()
    await real.close()
    process.exit(0)
  }
  process.send?.('done')
})
process.send?.('ready')
