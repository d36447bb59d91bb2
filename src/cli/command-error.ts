import { ExitCode } from './exit-code.js'

/** A command cannot go on; the message says what happened, where, and what to do. Shown without a stack. */
export class CommandError extends Error {
  readonly exitCode: number

  constructor(message: string, options: { readonly exitCode?: number; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CommandError'
    this.exitCode = options.exitCode ?? ExitCode.failed
  }
}

/** Wrong arguments. */
export function usageError(message: string): CommandError {
  return new CommandError(message, { exitCode: ExitCode.usage })
}
