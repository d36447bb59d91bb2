import type { Command } from 'commander'
import { CommandError, usageError } from './command-error.js'
import { addArchivePlaceOptions, addSettingsFileOptions, type SettingsFlags, settingsFor } from './settings-options.js'
import { note, print, printJson, wantsColours } from './standard-output.js'

interface ShowFlags extends SettingsFlags {
  readonly json?: boolean
}

export function addShowCommand(program: Command): void {
  const command = program
    .command('show')
    .summary('show an archived trace as a tree')
    .description('Shows one trace of the archive as a tree, with the evidence and confidence of every link.')
    .argument('<id>', "the trace's id, or its beginning (4 hex digits or more)")
    .option('--json', 'the trace as one JSON object')
  addSettingsFileOptions(addArchivePlaceOptions(command))
    .addHelpText('after', '\nExamples:\n  ghostspan show 4f1c09\n  ghostspan show 4f1c09 --json | jq .spans')
    .action(show)
}

async function show(id: string, flags: ShowFlags): Promise<void> {
  const { settings, warnings } = await settingsFor(flags)
  for (const warning of warnings) note(`warning: ${warning}`)
  const { getTrace } = await import('../archive/queries/get-trace.js')
  const { readArchive } = await import('./archive-access.js')
  const found = await readArchive(settings, archive => getTrace(archive, id))
  if (found.kind === 'invalid')
    throw usageError(`'${id}' is no trace id; give 4 to 32 hex digits, as \`ghostspan traces\` shows them`)
  if (found.kind === 'none')
    throw new CommandError(`there is no trace ${id} in the archive; \`ghostspan traces\` lists them`)
  if (found.kind === 'ambiguous') {
    throw new CommandError(`several traces begin with ${id}; give more digits:\n${found.traceIds.join('\n')}`)
  }
  if (flags.json === true) {
    const { traceToJson } = await import('../export/span-json.js')
    printJson(traceToJson(found.trace))
    return
  }
  const { createTerminalTree } = await import('../export/terminal-tree.js')
  const { columns } = process.stdout
  const tree = createTerminalTree({
    colours: wantsColours(process.env),
    ...(columns === undefined ? {} : { width: columns }),
  })
  print(tree.render(found.trace))
}
