import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { suites } from './suites.js'
import type { ScoredCase, Suite, Verdict } from './verdict.js'

export interface SuiteScore {
  readonly suite: Suite
  readonly cases: readonly ScoredCase[]
}

export interface Score {
  readonly scores: readonly SuiteScore[]
  readonly skipped: readonly { readonly what: string; readonly why: string }[]
}

export interface ScoreOptions {
  /** The folder of all cases. */
  readonly cases: string
  /** Only suites whose name begins so. */
  readonly suite?: string | undefined
  readonly progress?: (line: string) => void
}

/** Scores the suites that are in the folder; what is not there, or cannot be judged here, is skipped, with a reason. */
export async function scoreSuites({ cases, suite: wanted = '', progress = () => {} }: ScoreOptions): Promise<Score> {
  const scores: SuiteScore[] = []
  const skipped: { what: string; why: string }[] = []
  for (const suite of suites.filter(each => each.name.startsWith(wanted))) {
    const folder = join(cases, suite.folder)
    const missing = (suite.needs ?? []).filter(program => !isInstalled(program))
    if (!existsSync(folder)) skipped.push({ what: suite.name, why: `${suite.folder} is not in the folder of cases` })
    else if (missing.length > 0) skipped.push({ what: suite.name, why: `needs ${missing.join(', ')}` })
    else {
      const scored = await suite.score(folder)
      scores.push({ suite, cases: scored })
      progress(`${suite.name}: ${countText(scored)}`)
    }
  }
  return { scores, skipped }
}

export const countOf = (cases: readonly ScoredCase[], verdict: Verdict): number =>
  cases.filter(each => each.verdict === verdict).length

function countText(cases: readonly ScoredCase[]): string {
  const verdicts: readonly Verdict[] = ['passed', 'failed', 'excluded', 'crashed']
  return verdicts.map(verdict => `${countOf(cases, verdict)} ${verdict}`).join(', ')
}

function isInstalled(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(':')
  return folders.some(folder => folder !== '' && existsSync(join(folder, program)))
}
