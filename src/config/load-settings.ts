import { checkedDocument } from './checked-document.js'
import { readOtelEnvironment } from './otel-environment.js'
import type { Override } from './override.js'
import { readOwnEnvironment } from './own-environment.js'
import { plainSettings } from './plain-settings.js'
import type { Settings } from './settings.js'
import { readSettingsFile } from './settings-file.js'
import { FILE_FORMAT, type SettingsDocument, settingsSchema } from './settings-schema.js'
import type { Environment } from './substitution.js'

export interface SettingsSources {
  /** Given by `--config`; else `OTEL_CONFIG_FILE` is looked at. */
  readonly file?: string | undefined
  readonly environment: Environment
  readonly flags?: readonly Override[]
  /** User id that we run as, and the home folder: they decide where data lie. */
  readonly user: number
  readonly home: string
}

export interface LoadedSettings {
  readonly settings: Settings
  /** The file that was read, if any. */
  readonly file: string | undefined
  readonly warnings: readonly string[]
}

/**
 * All settings: a flag wins over the environment, the environment over the file, the file over the default. With a
 * file, `OTEL_*` variables count only where it names them (`${…}`); `GHOSTSPAN_*` always do.
 *
 * Throws SettingsError that lists everything wrong, each with its place and what is allowed.
 */
export function loadSettings(sources: SettingsSources): LoadedSettings {
  const { environment } = sources
  const path = sources.file ?? (environment['OTEL_CONFIG_FILE'] || undefined)
  const file = path === undefined ? undefined : readSettingsFile(path, environment)
  const otel = file === undefined ? readOtelEnvironment(environment) : undefined
  const own = readOwnEnvironment(environment)
  const overrides = [...(otel?.overrides ?? []), ...own.overrides, ...(sources.flags ?? [])]
  const { document, warnings } = checkedDocument(file, overrides, otel?.issues ?? [])
  const explicit =
    otel?.explicitExport === true ||
    (sources.flags ?? []).some(flag => flag.path[0] === 'tracer_provider') ||
    (file?.content as SettingsDocument | undefined)?.tracer_provider !== undefined
  if (document.tracer_provider === undefined) setDefaultExporter(document)
  const settings = plainSettings(document, {
    user: sources.user,
    home: sources.home,
    dataHome: environment['XDG_DATA_HOME'],
    exportWhen: explicit ? 'always' : 'listening',
  })
  return { settings, file: path, warnings: [...warnings, ...(otel?.warnings ?? []), ...own.warnings] }
}

function setDefaultExporter(document: SettingsDocument): void {
  const whole = {
    file_format: FILE_FORMAT,
    tracer_provider: { processors: [{ batch: { exporter: { otlp_grpc: {} } } }] },
  }
  document.tracer_provider = settingsSchema.parse(whole).tracer_provider
}

/** What a file with nothing but its version stands for, in the form of a file. */
export function defaultDocument(): SettingsDocument {
  return settingsSchema.parse({ file_format: FILE_FORMAT })
}
