#!/usr/bin/env node
import { CommanderError } from 'commander'
import { CommandError } from './command-error.js'
import { ExitCode } from './exit-code.js'
import { createProgram } from './program.js'
import { endQuietlyWhenUnread, note, printed } from './standard-output.js'

/** What people see of an error; the stack only with GHOSTSPAN_DEBUG, since it says nothing about what to do. */
function tell(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage
  const debug = (process.env['GHOSTSPAN_DEBUG'] ?? '') !== ''
  if (error instanceof Error) {
    const isSettings = error.name === 'SettingsError'
    for (const line of error.message.split('\n')) note(`ghostspan: ${line}`)
    if (debug) note(error.stack ?? '')
    else if (!(error instanceof CommandError) && !isSettings && isBug(error)) {
      note('ghostspan: this should not happen; GHOSTSPAN_DEBUG=1 shows where it did')
    }
    return error instanceof CommandError ? error.exitCode : isSettings ? ExitCode.usage : ExitCode.failed
  }
  note(`ghostspan: ${String(error)}`)
  return ExitCode.failed
}

function isBug(error: Error): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
}

endQuietlyWhenUnread()
try {
  await createProgram().parseAsync(process.argv)
} catch (error) {
  process.exitCode = tell(error)
}
await printed()
// Sockets and timers of libraries must not keep a command that is done.
process.exit(process.exitCode ?? ExitCode.ok)
