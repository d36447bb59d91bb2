import type { Command } from 'commander'
import { CommandError } from './command-error.js'
import type { Check, CheckStatus } from './doctor/check.js'
import { ExitCode } from './exit-code.js'
import {
  addArchivePlaceOptions,
  addHooksOption,
  addSettingsFileOptions,
  type SettingsFlags,
  settingsFor,
} from './settings-options.js'
import { note, print, printJson, wantsColours } from './standard-output.js'

interface DoctorFlags extends SettingsFlags {
  readonly build?: boolean
  readonly force?: boolean
  readonly json?: boolean
}

export function addDoctorCommand(program: Command): void {
  const command = program
    .command('doctor')
    .summary('what this machine lacks, and how to get it')
    .description(
      'Looks at every requirement by itself and says how to meet what is missing. Loads the BPF programs once as a ' +
        'trial. Exit code 0 when `run` will work, 1 when something it needs is missing.',
    )
    .option('--build', 'first build the addon and the BPF programs, as far as they are out of date')
    .option('--force', 'with --build: build them anew')
    .option('--otlp <url>', 'look at this receiver')
    .option('--no-otlp', 'do not look for a receiver')
    .option('--no-archive', 'do not look at what the archive needs')
    .option('--json', 'the result as one JSON object')
  addSettingsFileOptions(addHooksOption(addArchivePlaceOptions(command)))
    .addHelpText(
      'after',
      '\nExamples:\n  sudo ghostspan doctor\n  sudo ghostspan doctor --build\n  ghostspan doctor --json | jq \'.checks[] | select(.status != "ok")\'',
    )
    .action(doctor)
}

async function doctor(flags: DoctorFlags): Promise<void> {
  const loaded = await settingsFor(flags)
  if (flags.build === true) await build(flags.force === true)
  else if (flags.force === true) throw new CommandError('--force works with --build only', { exitCode: ExitCode.usage })
  const { nodeCheck } = await import('./doctor/node-check.js')
  const { kernelChecks } = await import('./doctor/kernel-checks.js')
  const { archiveChecks } = await import('./doctor/archive-checks.js')
  const { exportChecks } = await import('./doctor/export-checks.js')
  const checks: Check[] = [
    nodeCheck(),
    ...(await kernelChecks(loaded.settings.capture.hooks)),
    ...(await archiveChecks(loaded.settings)),
    ...(await exportChecks(loaded.settings)),
  ]
  const failed = checks.some(check => check.status === 'fail')
  if (failed) process.exitCode = ExitCode.failed
  if (flags.json === true) {
    const fixed = checks.map(check => ({ ...check, fix: check.fix ?? null }))
    printJson({ ok: !failed, settingsFile: loaded.file ?? null, checks: fixed, warnings: loaded.warnings })
    return
  }
  for (const warning of loaded.warnings) note(`warning: ${warning}`)
  print(report(checks, wantsColours(process.env)))
}

async function build(force: boolean): Promise<void> {
  const { buildNative } = await import('./doctor/build-checks.js')
  try {
    await buildNative({ force, log: line => note(`build: ${line}`) })
  } catch (error) {
    throw new CommandError(`the build failed: ${(error as Error).message}`, { cause: error })
  }
}

const MARKS: Readonly<Record<CheckStatus, string>> = { ok: 'ok', warn: 'warn', fail: 'FAIL' }
const COLOURS: Readonly<Record<CheckStatus, number>> = { ok: 32, warn: 33, fail: 31 }

function report(checks: readonly Check[], colours: boolean): string {
  const width = Math.max(...checks.map(check => check.name.length))
  const lines = checks.flatMap(({ name, status, detail, fix }) => {
    const mark = MARKS[status].padEnd(4)
    const shown = colours ? `\u001b[${COLOURS[status]}m${mark}\u001b[0m` : mark
    const line = `${shown}  ${name.padEnd(width)}  ${detail}`
    return fix === undefined ? [line] : [line, `${' '.repeat(width + 8)}-> ${fix}`]
  })
  const count = (status: CheckStatus): number => checks.filter(check => check.status === status).length
  const failures = count('fail')
  const summary =
    failures > 0
      ? `${failures} of ${checks.length} requirements are not met: \`ghostspan run\` will not work`
      : `\`ghostspan run\` will work${count('warn') > 0 ? `, with ${count('warn')} warning${count('warn') === 1 ? '' : 's'}` : ''}`
  return [...lines, '', summary].join('\n')
}
