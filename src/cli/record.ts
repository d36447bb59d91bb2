import { existsSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { CommandError } from './command-error.js'
import { durationOption } from './option-values.js'
import { addSelectionOptions, addSettingsFileOptions, type SettingsFlags, settingsFor } from './settings-options.js'
import { note, printJson, whenUnread } from './standard-output.js'
import { createStopSignal } from './stop-signal.js'

interface RecordFlags extends SettingsFlags {
  readonly duration?: number
  readonly redact?: boolean
  readonly force?: boolean
  readonly json?: boolean
}

export function addRecordCommand(program: Command): void {
  const command = program
    .command('record')
    .summary('write the events of this host to a file')
    .description(
      'Watches the sockets of this host and writes what the kernel tells to a file, for `ghostspan replay`. The file ' +
        'holds raw bytes of connections, with whatever secrets are in them: only its owner may read it. --redact keeps ' +
        'the shape of messages and blanks their values.',
    )
    .argument('<file>', 'file to write')
    .addOption(
      new Option('-d, --duration <time>', 'stop by itself after this time, such as 30s').argParser(durationOption),
    )
    .option('--redact', 'blank secrets and values, for a recording that is to be shared')
    .option('--force', 'overwrite the file if it is there')
    .option('--json', 'one line of JSON at the end; messages as JSON')
  addSettingsFileOptions(addSelectionOptions(command))
    .addHelpText(
      'after',
      `
Needs root (see \`ghostspan doctor\`). Ctrl-C stops it.

Examples:
  sudo ghostspan record shop.gspan --duration 30s
  sudo ghostspan record shop.gspan --redact --include port=80 --include executable=gunicorn
  ghostspan replay shop.gspan`,
    )
    .action(record)
}

async function record(file: string, flags: RecordFlags): Promise<void> {
  const loaded = await settingsFor(flags)
  const { openLiveSource, requireLiveCapture } = await import('./live-capture.js')
  await requireLiveCapture(`record ${file}`)
  if (flags.force !== true && existsSync(file)) throw isThere(file)
  const { commandLogger } = await import('./command-logger.js')
  const log = commandLogger(loaded, flags.json === true ? 'json' : undefined)
  const { createCounters } = await import('../telemetry/counters.js')
  const { createPipeline } = await import('../create-pipeline.js')
  const { pipelineOptionsOf } = await import('./pipeline-options.js')
  const redacted = flags.redact === true
  const counters = createCounters()
  const stop = createStopSignal(() => log.info({ component: 'record' }, 'stopping'))
  whenUnread(stop.stop)
  const source = await openLiveSource(loaded.settings, counters)
  try {
    const writer = await openWriter(file, source.origin, flags)
    const write = writer.write
    if (!redacted) {
      log.warn(
        { component: 'record' },
        `${file} will hold raw bytes of connections, secrets included; --redact blanks them`,
      )
    }
    // The pipeline runs along: it says what is worth copying of each connection, as it will for the replay.
    let failure: unknown
    const tap = (batch: Uint8Array): void => {
      if (failure !== undefined) return
      try {
        write(batch)
      } catch (error) {
        failure = error
        stop.stop()
      }
    }
    const pipeline = createPipeline({ ...pipelineOptionsOf(loaded.settings), source, sinks: [], counters, tap })
    const timer = flags.duration === undefined ? undefined : setTimeout(stop.stop, flags.duration)
    log.info({ component: 'record' }, `recording into ${file}; Ctrl-C stops`)
    try {
      await pipeline.run(stop.signal)
    } finally {
      clearTimeout(timer)
      writer.close()
    }
    if (failure !== undefined) throw writeFailure(file, failure, writer.bytes)
    const { events, lostEvents, samples, traces } = pipeline.status()
    const result = { file, bytes: writer.bytes, events, lostEvents, samples, traces, redacted }
    if (flags.json === true) printJson(result)
    else note(`${file}: ${events} events, ${writer.bytes} bytes, ${traces} traces in them; ${lostEvents} events lost`)
  } finally {
    await source.close()
    stop.close()
    log.flush()
  }
}

async function openWriter(
  file: string,
  origin: import('../capture/event-source.js').CaptureOrigin,
  flags: RecordFlags,
) {
  const { createRecordingWriter } = await import('../capture/recording-writer.js')
  try {
    return createRecordingWriter(file, origin, { overwrite: flags.force === true, redacted: flags.redact === true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw isThere(file)
    throw new CommandError(`${file} cannot be written: ${message}`, { cause: error })
  }
}

function isThere(file: string): CommandError {
  return new CommandError(`${file} is there already; choose another name, or --force`)
}

function writeFailure(file: string, error: unknown, bytes: number): CommandError {
  const reason = error instanceof Error ? error.message : String(error)
  return new CommandError(`${file} could not be written on: ${reason}. The first ${bytes} bytes can be replayed`, {
    cause: error,
  })
}
