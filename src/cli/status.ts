import type { Command } from 'commander'
import type { CarrierStatus } from '../capture/carriers/carrier-discovery.js'
import type { ProcessContext } from '../correlate/context-counts.js'
import type { CallCoverage } from '../sketches/call-totals.js'
import { carrierLines } from './carrier-lines.js'
import { contextLines } from './context-lines.js'
import { ExitCode } from './exit-code.js'
import { addSettingsFileOptions, type SettingsFlags, settingsFor } from './settings-options.js'
import { note, print, printJson } from './standard-output.js'

interface StatusFlags extends SettingsFlags {
  readonly json?: boolean
}

const LONGEST_WAIT_MILLIS = 5_000

export function addStatusCommand(program: Command): void {
  const command = program
    .command('status')
    .summary('what the running daemon does')
    .description('Asks the daemon that runs on this data folder. Exit code 1 when none runs.')
    .option('--data-directory <folder>', "the daemon's data folder")
    .option('--listen <address:port>', 'where it serves /status, if not where its data folder says')
    .option('--json', 'everything as one JSON object')
  addSettingsFileOptions(command)
    .addHelpText('after', '\nExamples:\n  ghostspan status\n  ghostspan status --json | jq .counters')
    .action(showStatus)
}

async function showStatus(flags: StatusFlags): Promise<void> {
  const { settings, warnings } = await settingsFor(flags)
  for (const warning of warnings) note(`warning: ${warning}`)
  const { daemonPlace } = await import('./daemon-url.js')
  const { url, running } = daemonPlace(settings, flags.listen)
  const status = await ask(url)
  if (status === undefined) {
    if (flags.json === true) printJson({ running: running !== undefined, pid: running?.process.pid ?? null })
    else if (running === undefined)
      note(
        `no daemon runs on ${settings.archive.dataDirectory}, and none answers at ${url}; start one with: sudo ghostspan run`,
      )
    else note(`the daemon with pid ${running.process.pid} does not answer at ${url}`)
    process.exitCode = ExitCode.failed
    return
  }
  if (flags.json === true) printJson({ running: true, ...status })
  else print(await statusText(status, url))
}

/** The daemon's own words; undefined when nobody, or somebody else, answers. */
async function ask(url: string): Promise<DaemonWords | undefined> {
  try {
    const response = await fetch(`${url}/status`, { signal: AbortSignal.timeout(LONGEST_WAIT_MILLIS) })
    const words = (await response.json()) as DaemonWords
    return typeof words.pid === 'number' && typeof words.version === 'string' ? words : undefined
  } catch {
    return undefined
  }
}

/** What is read of `daemonStatus`; everything else is for --json. */
interface DaemonWords {
  readonly version: string
  readonly pid: number
  readonly startedAt: string
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly cost: { readonly cpuSeconds: number; readonly residentBytes: number; readonly uptimeSeconds: number }
  readonly pipeline: Readonly<Record<string, number>> | null
  readonly calls?: CallCoverage | null
  readonly carriers?: readonly CarrierStatus[]
  readonly context?: readonly ProcessContext[]
  readonly otlp: readonly { readonly endpoint: string; readonly healthy: boolean; readonly queuedSpans: number }[]
  readonly archive: {
    readonly address: string
    readonly away: boolean
    readonly insertedRows: number
    readonly spooledBytes: number
  } | null
  readonly counters: Readonly<Record<string, number>>
}

async function statusText(status: DaemonWords, url: string): Promise<string> {
  const { cost, pipeline, archive, counters } = status
  const share = ((100 * cost.cpuSeconds) / Math.max(1, cost.uptimeSeconds)).toFixed(1)
  const lines: [string, string][] = [
    ['daemon', `pid ${status.pid}, version ${status.version}, since ${status.startedAt}, ${url}`],
    ['ready', status.ready ? 'yes' : `no: ${status.reasons.join('; ')}`],
    ['cost', `${share} % of one CPU, ${(cost.residentBytes / 1e6).toFixed(0)} MB`],
  ]
  if (pipeline !== null) {
    lines.push(
      ['events', `${pipeline['events']}, lost ${pipeline['lostEvents']}`],
      [
        'traces',
        `${pipeline['traces']} with ${pipeline['spans']} spans; open: ${pipeline['openTraces']} traces, ${pipeline['openConnections']} connections`,
      ],
    )
  }
  if (status.calls != null) lines.push(['calls', coverageText(status.calls)])
  for (const line of carrierLines(status.carriers ?? [])) lines.push(['carriers', line])
  for (const line of contextLines(status.context ?? [])) lines.push(['context', line])
  for (const { endpoint, healthy, queuedSpans } of status.otlp) {
    lines.push(['export', `${endpoint}: ${healthy ? 'works' : 'fails'}, ${queuedSpans} spans wait`])
  }
  if (status.otlp.length === 0) lines.push(['export', 'none'])
  lines.push([
    'archive',
    archive === null
      ? 'none'
      : `${archive.address}: ${archive.away ? 'away' : 'works'}, ${archive.insertedRows} spans written, ${archive.spooledBytes} bytes wait on disk`,
  ])
  for (const [name, value] of Object.entries(counters).filter(([name]) => isLoss(name)))
    lines.push(['lost', `${name} ${value}`])
  return lines.map(([name, text]) => `${name.padEnd(8)} ${text}`).join('\n')
}

function coverageText({ calls, copied, uncopied, unplaced }: CallCoverage): string {
  const place = unplaced === 0 ? '' : `; ${unplaced} found no place of their own in the kernel's map`
  return `${calls} on sockets: ${copied} copied, ${uncopied} counted only${place}`
}

const isLoss = (name: string): boolean => /\.(lost|dropped)\./.test(name)
