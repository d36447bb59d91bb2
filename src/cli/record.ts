import { existsSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { CaptureOrigin } from '../capture/event-source.js'
import type { LiveSource } from '../capture/live-source.js'
import type { RecordingWriter } from '../capture/recording-writer.js'
import type { Settings } from '../config/settings.js'
import type { PipelineStatus } from '../pipeline.js'
import type { Counters } from '../telemetry/counters.js'
import { CommandError } from './command-error.js'
import { durationOption } from './option-values.js'
import {
  addHooksOption,
  addSelectionOptions,
  addSettingsFileOptions,
  type SettingsFlags,
  settingsFor,
} from './settings-options.js'
import { note, printJson, whenUnread } from './standard-output.js'
import { createStopSignal, type StopSignal } from './stop-signal.js'

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
  addSettingsFileOptions(addHooksOption(addSelectionOptions(command)))
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
  const counters = createCounters()
  const stop = createStopSignal(() => log.info({ component: 'record' }, 'stopping'))
  whenUnread(stop.stop)
  const source = await openLiveSource(loaded.settings, counters)
  try {
    const writer = await openWriter(file, source.origin, flags)
    const write = flags.redact === true ? await redactingWrite(writer, source.origin) : writer.write
    const secrets =
      flags.redact === true ? '' : '; it holds raw bytes of connections, secrets included (--redact blanks them)'
    log.info({ component: 'record' }, `recording into ${file}${secrets}; Ctrl-C stops`)
    const status = await recordInto(write, {
      source,
      counters,
      settings: loaded.settings,
      stop,
      duration: flags.duration,
    })
    writer.close()
    if ('failure' in status) throw writeFailure(file, status.failure, writer.bytes)
    const { events, lostEvents, samples, traces } = status
    const result = { file, bytes: writer.bytes, events, lostEvents, samples, traces, redacted: flags.redact === true }
    if (flags.json === true) printJson(result)
    else note(`${file}: ${events} events, ${writer.bytes} bytes, ${traces} traces in them; ${lostEvents} events lost`)
  } finally {
    await source.close()
    stop.close()
    log.flush()
  }
}

interface Recording {
  readonly source: LiveSource
  readonly counters: Counters
  readonly settings: Settings
  readonly stop: StopSignal
  readonly duration: number | undefined
}

/** The pipeline runs along: it says what is worth copying of each connection, as it will for the replay. */
async function recordInto(
  write: (batch: Uint8Array) => void,
  { source, counters, settings, stop, duration }: Recording,
): Promise<PipelineStatus | { readonly failure: unknown }> {
  const { createPipeline } = await import('../create-pipeline.js')
  const { pipelineOptionsOf } = await import('./pipeline-options.js')
  let failure: { readonly failure: unknown } | undefined
  const tap = (batch: Uint8Array): void => {
    if (failure !== undefined) return
    try {
      write(batch)
    } catch (error) {
      failure = { failure: error }
      stop.stop()
    }
  }
  const pipeline = createPipeline({ ...pipelineOptionsOf(settings), source, sinks: [], counters, tap })
  const timer = duration === undefined ? undefined : setTimeout(stop.stop, duration)
  try {
    await pipeline.run(stop.signal)
  } finally {
    clearTimeout(timer)
  }
  return failure ?? pipeline.status()
}

/** The key is random and kept nowhere: what it disguised stays disguised. */
async function redactingWrite(writer: RecordingWriter, origin: CaptureOrigin): Promise<(batch: Uint8Array) => void> {
  const { randomBytes } = await import('node:crypto')
  const { createRedactor } = await import('../redaction/redactor.js')
  const { protocolModules } = await import('../protocols/registry.js')
  const redactor = createRedactor({ origin, modules: protocolModules, key: randomBytes(32) })
  return batch => writer.write(redactor.redact(batch))
}

async function openWriter(file: string, origin: CaptureOrigin, flags: RecordFlags): Promise<RecordingWriter> {
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
