import { connectArchive } from '../../src/archive/connect.js'
import { spansBetween } from '../../src/archive/queries/spans-between.js'
import { fromFinished, type RebuiltSpan } from '../../src/compare/rebuilt-span.js'
import { type Daemon, startDaemon } from '../live/daemon.js'
import { labRules } from './lab.js'

/** `ghostspan run` on the lab, with every span exported over OTLP and archived. */
export const startWatching = (dataDirectory?: string): Promise<Daemon> =>
  startDaemon({ executables: [], rules: labRules, archive: true, ...(dataDirectory && { dataDirectory }) })

/** What the archive has of a time, µs since the epoch. */
export async function spansOf(dataDirectory: string, sinceUs: number, untilUs: number): Promise<RebuiltSpan[]> {
  const archive = await connectArchive({ dataDirectory, role: 'reader' })
  try {
    const nanos = (us: number): bigint => BigInt(Math.round(us)) * 1_000n
    return (await spansBetween(archive, nanos(sinceUs), nanos(untilUs))).map(fromFinished)
  } finally {
    await archive.close()
  }
}
