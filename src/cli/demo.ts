import { type Command, Option } from 'commander'
import { countOption } from './option-values.js'
import {
  addArchivePlaceOptions,
  addHooksOption,
  addSettingsFileOptions,
  type SettingsFlags,
  settingsFor,
} from './settings-options.js'
import { wantsColours } from './standard-output.js'
import { createStopSignal } from './stop-signal.js'

interface DemoFlags extends SettingsFlags {
  readonly requests?: number
  readonly concurrency?: number
  readonly source?: 'auto' | 'live' | 'recording'
  readonly check?: boolean
  readonly json?: boolean
  readonly recordTo?: string
  readonly consumers?: number
  readonly prefetch?: number
  readonly setupSeconds?: string
}

export function addDemoCommand(program: Command): void {
  const command = program
    .command('demo')
    .summary('trace a small real system and say how right it was')
    .description(
      'Starts nginx, a Python web service, a worker, MariaDB, Redis, memcached and RabbitMQ, sends requests, rebuilds ' +
        'their traces from the sockets alone, and compares them with what the services noted. Without root it replays ' +
        'the recording that comes with Ghostspan.',
    )
    .addOption(new Option('-n, --requests <number>', 'requests to send (default: 500)').argParser(countOption))
    .addOption(new Option('--concurrency <number>', 'so many at a time (default: 16)').argParser(countOption))
    .addOption(
      new Option('--source <kind>', 'where events come from (default: auto)').choices(['auto', 'live', 'recording']),
    )
    .option('--otlp <url>', 'send the spans here')
    .option('--no-otlp', 'send nothing')
    .option('--no-archive', 'archive nothing')
    .option('--check', 'exit code 1 when a figure misses its goal')
    .option('--record-to <folder>', 'keep the capture and the notes of the services there')
    .addOption(new Option('--consumers <number>', 'threads of the worker (default: 2)').argParser(countOption))
    .addOption(new Option('--prefetch <number>', 'messages that each may hold (default: 1)').argParser(countOption))
    .addOption(new Option('--setup-seconds <seconds>', 'what the set-up took').hideHelp())
    .option('--json', 'one JSON object as the last line, no trees')
  addSettingsFileOptions(addHooksOption(addArchivePlaceOptions(command)))
    .addHelpText(
      'after',
      '\nExamples:\n  sudo ghostspan demo\n  sudo ghostspan demo --concurrency 64 --json\n  ghostspan demo --source recording',
    )
    .action(demo)
}

async function demo(flags: DemoFlags): Promise<void> {
  const { settings } = await settingsFor(flags)
  const { runDemo } = await import('../demo/run-demo.js')
  const stop = createStopSignal()
  const { columns } = process.stdout
  try {
    process.exitCode = await runDemo({
      requests: flags.requests ?? 500,
      concurrency: flags.concurrency ?? 16,
      check: flags.check === true,
      json: flags.json === true,
      source: flags.source ?? 'auto',
      hooks: settings.capture.hooks,
      archive: archiveOf(settings),
      otlp: await otlpOf(settings),
      setupSeconds: Number(flags.setupSeconds ?? 0),
      ...(flags.consumers === undefined ? {} : { consumers: flags.consumers }),
      ...(flags.prefetch === undefined ? {} : { prefetch: flags.prefetch }),
      ...(flags.recordTo === undefined ? {} : { recordTo: flags.recordTo }),
      ...(columns === undefined ? {} : { width: columns }),
      colours: wantsColours(process.env),
      signal: stop.signal,
      print: text => process.stdout.write(text),
      progress: text => process.stderr.write(text.endsWith('\n') ? text : `${text}\n`),
    })
  } finally {
    stop.close()
  }
}

type Settings = import('../config/settings.js').Settings
type DemoOptions = import('../demo/demo-options.js').DemoOptions

function archiveOf({ archive }: Settings): DemoOptions['archive'] {
  if (!archive.enabled) return undefined
  const { clickhouse, dataDirectory } = archive
  if (clickhouse === undefined) return { dataDirectory }
  const { url, user, password, database } = clickhouse
  return { url, username: user, password, database }
}

/** As `run`: what the settings name, or the standard local receiver if it listens. */
async function otlpOf(settings: Settings): Promise<DemoOptions['otlp']> {
  const exporter = settings.export.exporters.find(one => one.kind === 'otlp')
  if (exporter === undefined) return undefined
  const { otlpEndpointOf } = await import('./trace-sinks.js')
  const { probeOtlpEndpoint } = await import('../export/probe-otlp-endpoint.js')
  const endpoint = await otlpEndpointOf(exporter)
  if (settings.export.when === 'listening' && !(await probeOtlpEndpoint(endpoint.url)).listening) return undefined
  return endpoint
}
