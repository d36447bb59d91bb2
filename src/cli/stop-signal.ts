import { ExitCode } from './exit-code.js'
import { note } from './standard-output.js'

/** Ends a command that runs for long. */
export interface StopSignal {
  readonly signal: AbortSignal
  /** Stops as a signal would: the time is over, or nobody reads any more. */
  stop(): void
  /** Signals have their usual effect again. */
  close(): void
}

/** The first SIGINT or SIGTERM asks to stop; a second one ends at once. */
export function createStopSignal(onFirst: (name: string) => void = () => {}): StopSignal {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      note('ghostspan: ended at once; what was still open is lost')
      process.exit(ExitCode.forced)
    }
    onFirst(name)
    controller.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    stop: () => controller.abort(),
    close: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
