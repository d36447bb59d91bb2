import type { LoadedSettings } from '../config/load-settings.js'
import { createLogger, type Logger } from '../telemetry/logger.js'

/** Messages of a command on standard error, beginning with the warnings about its settings. */
export function commandLogger({ settings, warnings }: LoadedSettings, format = settings.log.format): Logger {
  const log = createLogger({
    level: settings.log.level,
    format,
    write: line => process.stderr.write(line),
    now: Date.now,
  })
  for (const warning of warnings) log.warn({ component: 'settings' }, warning)
  return log
}
