import { ExitCode } from './exit-code.js'

/** Writes lines to standard output; ends the line if the text does not. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** One object on one line. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value))
}

/** A message for people, on standard error, out of the way of what is read by programs. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

let unread = (): void => process.exit(ExitCode.ok)

/** A reader that has seen enough (`ghostspan traces | head`) is no error: the command just ends. */
export function endQuietlyWhenUnread(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') throw error
      unread()
    })
  }
}

/** A command that has something to tidy up says what happens instead when nobody reads any more. */
export function whenUnread(action: () => void): void {
  unread = action
}

/** Resolves when all that was printed has left the process: a pipe may be slower than we are. */
export async function printed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.destroyed || stream.writableLength === 0) continue
    await new Promise<void>(resolve => {
      stream.once('close', () => resolve())
      stream.write('', () => resolve())
    })
  }
}

/** Colours for a terminal, unless NO_COLOR is set (no-color.org); FORCE_COLOR asks for them elsewhere. */
export function wantsColours(environment: Readonly<Record<string, string | undefined>>): boolean {
  if ((environment['NO_COLOR'] ?? '') !== '') return false
  const forced = environment['FORCE_COLOR']
  if (forced !== undefined && forced !== '' && forced !== '0') return true
  return process.stdout.isTTY === true && environment['TERM'] !== 'dumb'
}
