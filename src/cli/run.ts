import { type Command, Option } from 'commander'
import { durationOption } from './option-values.js'
import {
  addArchivePlaceOptions,
  addAssemblyOptions,
  addHooksOption,
  addSelectionOptions,
  addSettingsFileOptions,
  type SettingsFlags,
  settingsFor,
} from './settings-options.js'
import { note, printJson, whenUnread } from './standard-output.js'
import { createStopSignal } from './stop-signal.js'

interface RunFlags extends SettingsFlags {
  readonly print?: 'tree' | 'json' | 'none'
  readonly duration?: number
  readonly json?: boolean
}

export function addRunCommand(program: Command): void {
  const command = program
    .command('run')
    .summary('trace this host until Ctrl-C')
    .description(
      'Watches the sockets of this host, rebuilds traces, sends them over OTLP and archives them. Without settings it ' +
        'archives into its data folder (7 days, 10 GB) and sends to the standard local OTLP port, 4317, if something ' +
        'listens there.',
    )
    .addOption(new Option('-p, --print <form>', 'print traces as they leave').choices(['tree', 'json', 'none']))
    .option('--otlp <url>', 'send spans here: http://host:4317 (gRPC) or http://host:4318/v1/traces (HTTP)')
    .option('--no-otlp', 'send nothing over OTLP')
    .option('--no-archive', 'archive nothing')
    .option('--retention-age <time>', 'how long the archive keeps spans, such as 7d')
    .option('--retention-size <size>', 'how large the archive may become, such as 10GB')
    .option('--listen <address:port>', 'where /metrics, /healthz, /readyz and /status are served')
    .option('--no-health', 'do not serve them')
    .addOption(
      new Option('-d, --duration <time>', 'stop by itself after this time, such as 30s').argParser(durationOption),
    )
    .option('--json', 'one line of JSON when started and one when stopped; messages as JSON')
  addSettingsFileOptions(addHooksOption(addAssemblyOptions(addSelectionOptions(addArchivePlaceOptions(command)))))
    .addHelpText(
      'after',
      `
Needs root (see \`ghostspan doctor\`). Ctrl-C or SIGTERM stops it: what is open is delivered first; a second one ends it at once.

Examples:
  sudo ghostspan run                                   trace everything on this host
  sudo ghostspan run --print tree --no-archive         only show traces
  sudo ghostspan run --include port=80 --otlp http://collector:4317
  sudo ghostspan run --config /etc/ghostspan.yaml --log-format json`,
    )
    .action(run)
}

async function run(flags: RunFlags): Promise<void> {
  const loaded = await settingsFor(flags)
  const { requireLiveCapture } = await import('./live-capture.js')
  await requireLiveCapture('run')
  const { commandLogger } = await import('./command-logger.js')
  const { runDaemon } = await import('./daemon.js')
  const log = commandLogger(loaded, flags.json === true ? 'json' : undefined)
  const stop = createStopSignal(() => log.info({ component: 'run' }, 'stopping; what is open is delivered first'))
  whenUnread(stop.stop)
  let timer: NodeJS.Timeout | undefined
  try {
    const result = await runDaemon({
      loaded,
      log,
      print: flags.print ?? (hasConsole(loaded.settings.export.exporters) ? 'tree' : 'none'),
      signal: stop.signal,
      onUnread: stop.stop,
      onStarted: status => {
        if (flags.duration !== undefined) timer = setTimeout(stop.stop, flags.duration)
        log.info({ component: 'run' }, `started, pid ${process.pid}; Ctrl-C stops`)
        if (flags.json === true) printJson({ type: 'started', ...status })
      },
    })
    const { pipeline } = result
    if (flags.json === true) printJson({ type: 'stopped', ...result })
    else
      note(
        `${pipeline.traces} traces, ${pipeline.spans} spans from ${pipeline.events} events; ${pipeline.lostEvents} events lost`,
      )
  } finally {
    clearTimeout(timer)
    stop.close()
  }
}

function hasConsole(exporters: readonly { readonly kind: string }[]): boolean {
  return exporters.some(exporter => exporter.kind === 'console')
}
