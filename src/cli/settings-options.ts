import { homedir } from 'node:os'
import { type Command, Option } from 'commander'
import { HOOKS_CHOICES } from '../capture/hooks.js'
import type { LoadedSettings } from '../config/load-settings.js'
import type { Override } from '../config/override.js'
import type { SettingPath } from '../config/settings-file.js'
import { CommandError } from './command-error.js'
import { ExitCode } from './exit-code.js'

/** Flags of all commands that read settings. */
export interface SettingsFlags {
  readonly config?: string
  readonly logLevel?: string
  readonly logFormat?: string
  readonly dataDirectory?: string
  readonly clickhouse?: string
  readonly archive?: boolean
  readonly otlp?: string | boolean
  readonly listen?: string
  readonly health?: boolean
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly hooks?: string
  readonly quiet?: string
  readonly confidenceFloor?: string
  readonly disableProtocol?: readonly string[]
  readonly retentionAge?: string
  readonly retentionSize?: string
}

const OWN: SettingPath = ['distribution', 'ghostspan']

export function addSettingsFileOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', 'settings file (default: $OTEL_CONFIG_FILE)')
    .option('--log-level <level>', 'debug, info, warn or error')
    .option('--log-format <format>', 'text or json')
}

export function addArchivePlaceOptions(command: Command): Command {
  return command
    .option('--data-directory <folder>', 'folder of the embedded archive, the spool and the lock')
    .option('--clickhouse <url>', 'a ClickHouse server instead of the embedded engine')
}

export function addHooksOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--hooks <kind>',
      'what tells of socket calls: syscall is for kernels before 6.3 (default: auto)',
    ).choices(HOOKS_CHOICES),
  )
}

export function addSelectionOptions(command: Command): Command {
  const collect = (value: string, known: readonly string[] = []): string[] => [...known, value]
  return command
    .addOption(
      new Option(
        '--include <what>',
        'trace only processes like port=80 or executable=nginx,user=www; repeatable',
      ).argParser(collect),
    )
    .addOption(
      new Option(
        '--exclude <what>',
        'leave out processes like command_line=backup or cgroup=/user.slice; repeatable',
      ).argParser(collect),
    )
}

export function addAssemblyOptions(command: Command): Command {
  const collect = (value: string, known: readonly string[] = []): string[] => [...known, value]
  return command
    .option('--quiet <time>', 'a trace leaves when nothing happened in it for this long, such as 2s')
    .option('--confidence-floor <number>', 'a likely parent below this becomes a link, from 0 to 1')
    .addOption(new Option('--disable-protocol <name>', 'do not read this protocol; repeatable').argParser(collect))
}

/** Settings from flags, environment and file. Throws SettingsError, or CommandError for a rule that cannot be read. */
export async function settingsFor(flags: SettingsFlags): Promise<LoadedSettings> {
  const { loadSettings } = await import('../config/load-settings.js')
  return loadSettings({
    file: flags.config,
    environment: process.env,
    flags: await overridesOf(flags),
    user: process.getuid?.() ?? -1,
    home: homedir(),
  })
}

async function overridesOf(flags: SettingsFlags): Promise<Override[]> {
  const { typedText } = await import('../config/override.js')
  const overrides: Override[] = []
  const set = (place: string, path: SettingPath, value: unknown): void => {
    if (value !== undefined) overrides.push({ place, path: [...OWN, ...path], value })
  }
  set('--log-level', ['operations', 'log', 'level'], flags.logLevel)
  set('--log-format', ['operations', 'log', 'format'], flags.logFormat)
  set('--data-directory', ['archive', 'data_directory'], flags.dataDirectory)
  set('--clickhouse', ['archive', 'clickhouse', 'url'], flags.clickhouse)
  set('--retention-age', ['archive', 'retention', 'age'], flags.retentionAge)
  set('--retention-size', ['archive', 'retention', 'size'], flags.retentionSize)
  if (flags.archive === false) set('--no-archive', ['archive', 'enabled'], false)
  set('--listen', ['operations', 'health', 'listen'], flags.listen)
  if (flags.health === false) set('--no-health', ['operations', 'health', 'enabled'], false)
  set('--hooks', ['capture', 'hooks'], flags.hooks)
  set('--quiet', ['traces', 'quiet'], flags.quiet)
  if (flags.confidenceFloor !== undefined) {
    set('--confidence-floor', ['correlation', 'confidence_floor'], typedText(flags.confidenceFloor, 'number'))
  }
  for (const protocol of flags.disableProtocol ?? []) {
    set('--disable-protocol', ['protocols', protocol, 'enabled'], false)
  }
  await addOtlp(flags.otlp, overrides)
  addSelection(flags, overrides)
  return overrides
}

async function addOtlp(otlp: string | boolean | undefined, overrides: Override[]): Promise<void> {
  if (otlp === undefined) return
  const path: SettingPath = ['tracer_provider', 'processors']
  if (otlp === false) {
    overrides.push({ place: '--no-otlp', path, value: [] })
    return
  }
  const { protocolOfEndpoint } = await import('../config/otel-environment.js')
  const endpoint = otlp === true ? undefined : otlp
  const kind = protocolOfEndpoint(endpoint) === 'grpc' ? 'otlp_grpc' : 'otlp_http'
  const bare = endpoint !== undefined && kind === 'otlp_http' && new URL(endpoint).pathname === '/'
  const url = bare ? `${endpoint.replace(/\/+$/, '')}/v1/traces` : endpoint
  overrides.push({
    place: '--otlp',
    path,
    value: [{ batch: { exporter: { [kind]: url === undefined ? {} : { endpoint: url } } } }],
  })
}

/** Rules of flags stand instead of the file's, exclusions first; an `--include` turns the default into exclude. */
function addSelection(flags: SettingsFlags, overrides: Override[]): void {
  const excluded = (flags.exclude ?? []).map(text => selectionRule(text, 'exclude'))
  const included = (flags.include ?? []).map(text => selectionRule(text, 'include'))
  if (excluded.length + included.length === 0) return
  const place = included.length === 0 ? '--exclude' : excluded.length === 0 ? '--include' : '--include, --exclude'
  overrides.push({ place, path: [...OWN, 'selection', 'rules'], value: [...excluded, ...included] })
  if (included.length > 0) {
    overrides.push({ place: '--include', path: [...OWN, 'selection', 'default'], value: 'exclude' })
  }
}

const CRITERIA = ['executable', 'command_line', 'port', 'user', 'cgroup']

/** `executable=nginx,port=80` as a rule; a comma may be part of a value where no criterion follows it. */
export function selectionRule(text: string, action: 'include' | 'exclude'): Record<string, unknown> {
  const rule: Record<string, unknown> = { action }
  for (const part of text.split(new RegExp(`,(?=(?:${CRITERIA.join('|')})=)`))) {
    const [, name, value] = /^([a-z_]+)=(.+)$/s.exec(part) ?? []
    if (name === undefined || value === undefined || !CRITERIA.includes(name)) {
      throw new CommandError(
        `--${action}: '${part}' is no criterion; write ${CRITERIA.map(one => `${one}=…`).join(', ')}, several joined by commas`,
        { exitCode: ExitCode.usage },
      )
    }
    rule[name] = name === 'port' || (name === 'user' && /^\d+$/.test(value)) ? Number(value) : value
  }
  return rule
}
