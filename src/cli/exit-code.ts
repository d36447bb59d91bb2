/** What the process ends with; documented in docs/commands.md. */
export const ExitCode = {
  /** Done, or stopped as asked. */
  ok: 0,
  /** It could not be done, or `doctor` found something missing. */
  failed: 1,
  /** Wrong arguments or wrong settings. */
  usage: 2,
  /** Ended at once by a second Ctrl-C. */
  forced: 130,
} as const
