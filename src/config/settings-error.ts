/** One thing that is wrong with the settings. */
export interface SettingsIssue {
  /** Where it was written: `ghostspan.yaml:12:7`, `environment variable GHOSTSPAN_LOG_LEVEL`, `--log-level`. */
  readonly place: string
  /** Dotted path of the setting: `distribution.ghostspan.archive.retention.age`; '' for the whole. */
  readonly path: string
  /** What is wrong, and what is allowed. */
  readonly message: string
}

export function issueText({ place, path, message }: SettingsIssue): string {
  return [place, path, message].filter(part => part !== '').join(': ')
}

/** The settings cannot be used. `issues` has every place that is wrong; the message lists them, one a line. */
export class SettingsError extends Error {
  readonly code = 'GHOSTSPAN_SETTINGS'
  readonly issues: readonly SettingsIssue[]

  constructor(issues: readonly SettingsIssue[]) {
    super(issues.map(issueText).join('\n'))
    this.name = 'SettingsError'
    this.issues = issues
  }
}
