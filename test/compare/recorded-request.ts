import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { openCapture } from '../../src/capture/open-capture.js'
import { type RebuiltSpan, rebuiltSpans } from '../../src/compare/rebuilt-span.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import { repositoryRoot } from '../backends/repository-root.js'
import { runPipeline } from '../support/run-pipeline.js'

/** `openstack token issue` under OSProfiler in the OpenStack lab: a recording, and what OSProfiler wrote of it. */
export const fixture = (name: string): string => join(repositoryRoot(), 'test', 'compare', 'fixtures', name)

export const recording = (): Buffer => gunzipSync(readFileSync(fixture('token-issue.gspan.gz')))

/** Values of OSProfiler's headers and of its part of a message's context become As; lengths stay. */
export function withoutOsprofilerHeaders(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  const blank = (match: string, name: string): string => name + 'A'.repeat(match.length - name.length)
  return Buffer.from(text.replace(/(X-Trace-(?:Info|HMAC): )[\w+/=-]+/gi, blank), 'latin1')
}

export async function replayed(bytes: Buffer): Promise<{ traces: FinishedTrace[]; spans: RebuiltSpan[] }> {
  const own = mkdtempSync(join(tmpdir(), 'ghostspan-compare-'))
  try {
    const path = join(own, 'recording.gspan')
    writeFileSync(path, bytes)
    const source = await openCapture(path, createCounters())
    const { traces } = await runPipeline(source, {
      processRoots: { programs: ['openstack'], commandLines: [] },
    })
    await source.close()
    return { traces, spans: traces.flatMap(rebuiltSpans) }
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}
