import { homedir } from 'node:os'
import type { Command } from 'commander'
import { ExitCode } from './exit-code.js'
import { note, print, printJson } from './standard-output.js'

export function addConfigCommand(program: Command): void {
  const config = program
    .command('config')
    .summary('print or check settings')
    .description('Prints the default settings, checks a file, or prints the JSON Schema for an editor.')
    .addHelpText(
      'after',
      `
Examples:
  ghostspan config default > ghostspan.yaml
  ghostspan config validate ghostspan.yaml
  ghostspan config schema > ghostspan.schema.json`,
    )
  config
    .command('default')
    .summary('print every setting with its default')
    .description('Prints a settings file with every setting, its default and what it takes.')
    .option('--json', 'the defaults as JSON')
    .addHelpText('after', '\nExamples:\n  ghostspan config default > ghostspan.yaml\n  ghostspan config default --json')
    .action(async (options: { json?: boolean }) => {
      if (options.json === true) {
        const { defaultDocument } = await import('../config/load-settings.js')
        printJson(defaultDocument())
      } else print((await import('../config/default-file.js')).defaultFile())
    })
  config
    .command('validate')
    .summary('check settings')
    .description(
      'Checks a settings file, or without one what the environment says. Exit code 2 when something is wrong.',
    )
    .argument('[file]', 'settings file (default: $OTEL_CONFIG_FILE)')
    .option('--json', 'the result as JSON, with the settings that would be in force')
    .addHelpText(
      'after',
      '\nExamples:\n  ghostspan config validate ghostspan.yaml\n  OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317 ghostspan config validate --json',
    )
    .action(validate)
  config
    .command('schema')
    .summary('print the JSON Schema')
    .description('Prints the JSON Schema (draft 2020-12) of a settings file.')
    .option('--json', 'the same on one line')
    .addHelpText('after', '\nExamples:\n  ghostspan config schema > ghostspan.schema.json')
    .action(async (options: { json?: boolean }) => {
      const { settingsJsonSchema } = await import('../config/settings-schema.js')
      if (options.json === true) printJson(settingsJsonSchema())
      else print(JSON.stringify(settingsJsonSchema(), null, 2))
    })
}

async function validate(file: string | undefined, options: { json?: boolean }): Promise<void> {
  const { loadSettings } = await import('../config/load-settings.js')
  const { issueText, SettingsError } = await import('../config/settings-error.js')
  const { withoutSecrets } = await import('../config/without-secrets.js')
  try {
    const loaded = loadSettings({ file, environment: process.env, user: process.getuid?.() ?? -1, home: homedir() })
    const { warnings } = loaded
    if (options.json === true) {
      printJson({
        valid: true,
        file: loaded.file ?? null,
        issues: [],
        warnings,
        settings: withoutSecrets(loaded.settings),
      })
    } else {
      for (const warning of warnings) note(`warning: ${warning}`)
      print(`${loaded.file ?? 'the environment'}: settings are valid`)
    }
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    process.exitCode = ExitCode.usage
    if (options.json === true)
      printJson({ valid: false, file: file ?? null, issues: error.issues, warnings: [], settings: null })
    else for (const issue of error.issues) note(issueText(issue))
  }
}
