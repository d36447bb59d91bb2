import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compareTraces } from '../../src/compare/comparison.js'
import { comparisonPage } from '../../src/compare/comparison-page.js'
import { comparisonText } from '../../src/compare/comparison-text.js'
import { loadOsprofilerTrace } from '../../src/compare/load-osprofiler.js'
import type { OsprofilerTrace } from '../../src/compare/osprofiler-trace.js'
import { runLab } from './lab.js'
import { spansOf, startWatching } from './watching.js'
import { waterfallPlot } from './waterfall-plot.js'

export interface OperationResult {
  readonly name: string
  /** OSProfiler's wsgi, rpc and db spans: what a socket can show. */
  readonly spans: number
  readonly matched: number
  readonly parentsEqual: number
  readonly missing: number
  readonly extra: number
  /** Reconstructed traces over which the matches are spread. */
  readonly traces: number
  readonly traceSpans: number
  readonly startP50Ms: number
  readonly startP99Ms: number
  /** Without the time in which OSProfiler was seen writing its start point. */
  readonly netStartP99Ms: number
  readonly durationP50Ms: number
}

interface Operation {
  readonly name: string
  readonly args: readonly string[]
}

const of = (name: string, ...args: string[]): Operation => ({ name, args })

/** `listed`: those that the goals are about; `others`: what else operators do. */
export type OperationSet = 'listed' | 'others'

/** In this order: the later ones need what the earlier ones made. */
function listedOperations(suffix: string, image: string): Operation[] {
  const create = ['server', 'create', '--wait', '--image', 'lab-image', '--flavor', 'lab.tiny']
  const format = ['--disk-format', 'raw', '--container-format', 'bare']
  return [
    of('token issue', 'token', 'issue'),
    of('server list', 'server', 'list'),
    of('network create', 'network', 'create', `net-${suffix}`),
    of('image upload', 'image', 'create', '--file', image, ...format, `image-${suffix}`),
    of('server create', '--os-compute-api-version', '2.37', ...create, '--nic', 'none', `bare-${suffix}`),
    of('server create with network', ...create, '--network', 'lab-net', `net-${suffix}`),
    of('server resize', 'server', 'resize', '--wait', '--flavor', 'lab.small', `net-${suffix}`),
    of('server delete', 'server', 'delete', '--wait', `bare-${suffix}`),
    of('server delete with network', 'server', 'delete', '--wait', `net-${suffix}`),
    of('image delete', 'image', 'delete', `image-${suffix}`),
    of('network delete', 'network', 'delete', `net-${suffix}`),
  ]
}

/** As above. Shelving leaves a snapshot that the fake driver never uploads: the server goes on all the same. */
function otherOperations(suffix: string, folder: string): Operation[] {
  const server = `other-${suffix}`
  const project = `project-${suffix}`
  const role = ['--project', project, '--user', 'admin', 'reader']
  const create = ['server', 'create', '--wait', '--image', 'lab-image', '--flavor', 'lab.tiny', '--network', 'lab-net']
  return [
    of('keypair create', 'keypair', 'create', '--private-key', join(folder, 'key'), `key-${suffix}`),
    of('keypair list', 'keypair', 'list'),
    of('keypair delete', 'keypair', 'delete', `key-${suffix}`),
    of('quota show', 'quota', 'show'),
    of('quota set', 'quota', 'set', '--cores', '40', 'admin'),
    of('project create', 'project', 'create', project),
    of('role add', 'role', 'add', ...role),
    of('role assignment list', 'role', 'assignment', 'list', '--project', project),
    of('role remove', 'role', 'remove', ...role),
    of('project delete', 'project', 'delete', project),
    of('server create with network', ...create, server),
    of('server show', 'server', 'show', server),
    of('server shelve', 'server', 'shelve', server),
    of('server unshelve', 'server', 'unshelve', server),
    of('server delete with network', 'server', 'delete', '--wait', server),
  ]
}

export interface OperationOptions {
  readonly set: OperationSet
  /** Names that are measured; the others run as far as these need them. Empty: all. */
  readonly only: readonly string[]
  readonly suffix: string
  /** Pages and pictures of the comparisons go here; undefined: nowhere. */
  readonly pages: string | undefined
  readonly progress: (text: string) => void
  readonly done: (result: OperationResult) => void
  readonly failed: (name: string, why: string) => void
}

/** Each operation once under OSProfiler while Ghostspan watches; both traces compared. */
export async function measureOperations(options: OperationOptions): Promise<{ events: number; lostEvents: number }> {
  const { progress } = options
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-operations-'))
  const image = join(folder, 'image')
  writeFileSync(image, Buffer.alloc(262_144, 0x42))
  const watching = await startWatching()
  const traced: { name: string; trace: OsprofilerTrace }[] = []
  try {
    const { suffix } = options
    const all = options.set === 'listed' ? listedOperations(suffix, image) : otherOperations(suffix, folder)
    for (const { name, args } of all) {
      if (options.only.length > 0 && !options.only.includes(name)) continue
      progress(`${name} …`)
      const file = join(folder, 'trace.json')
      const { code, output } = await runLab('trace', [file, ...args], {}, () => {})
      if (code !== 0) {
        options.failed(name, output.trim().split('\n').slice(-2).join(' ').slice(0, 300))
        continue
      }
      traced.push({ name, trace: await loadOsprofilerTrace(file, undefined) })
    }
    // What is still open leaves, and reaches the archive.
    await sleep(6_000)
    for (const { name, trace } of traced) options.done(await compare(name, trace, watching.dataDirectory, options))
    const { events, lostEvents } = await watching.status()
    return { events, lostEvents }
  } finally {
    await watching.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function compare(
  name: string,
  trace: OsprofilerTrace,
  dataDirectory: string,
  { pages, progress }: OperationOptions,
): Promise<OperationResult> {
  const first = Math.min(...trace.spans.map(({ startUs }) => startUs))
  const last = Math.max(...trace.spans.map(({ endUs }) => endUs))
  const around = await spansOf(dataDirectory, first - 30e6, last + 3e6)
  const comparison = compareTraces(trace, around)
  if (pages !== undefined) {
    writeFileSync(join(pages, `${name.replaceAll(' ', '-')}.html`), comparisonPage(comparison))
    writeFileSync(join(pages, `${name.replaceAll(' ', '-')}.txt`), `${comparisonText(comparison)}\n`)
    writeFileSync(join(pages, `${name.replaceAll(' ', '-')}.svg`), waterfallPlot(comparison.rebuilt, name))
  }
  const { matched, missing, extra, parentsEqual, traces } = comparison
  const millis = (us: number): number => Math.round(us) / 1_000
  progress(
    `${name}: ${matched.length} of ${matched.length + missing.length} matched, ${parentsEqual} with the same parent, in ${traces} traces`,
  )
  return {
    name,
    spans: matched.length + missing.length,
    matched: matched.length,
    parentsEqual,
    missing: missing.length,
    extra: extra.length,
    traces,
    traceSpans: comparison.rebuilt.length,
    startP50Ms: millis(comparison.startP50Us),
    startP99Ms: millis(comparison.startP99Us),
    netStartP99Ms: millis(comparison.netStartP99Us),
    durationP50Ms: millis(comparison.durationP50Us),
  }
}
