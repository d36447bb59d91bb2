import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../src/capture/native-addon.js'
import { countOf, type Score, scoreSuites } from './score/score.js'
import { readBaseline, regressions, scoreboardPage } from './score/scoreboard-page.js'

/**
 * Scores the protocol modules against captures that others made: each case passes, fails, or is excluded with a reason.
 * The captures are looked for in `../shared/cases` beside the checkout unless --cases or GHOSTSPAN_CASES names a folder.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    cases: { type: 'string' },
    suite: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const PAGE = join(packageRoot(), 'docs', 'scoreboard.md')

if (values.help) {
  console.log(
    'score:protocols [--json] [--cases DIR] [--suite NAME] [--check] [--write]\n' +
      '  --suite  only suites whose name begins so: hpack, llhttp-request, deepflow…\n' +
      '  --check  fail when a case is worse than docs/scoreboard.md says\n' +
      '  --write  write docs/scoreboard.md',
  )
} else {
  process.exitCode = await main()
}

async function main(): Promise<number> {
  const named = values.cases ?? process.env['GHOSTSPAN_CASES']
  const cases = named === undefined ? join(packageRoot(), '..', 'shared', 'cases') : resolve(named)
  if (!existsSync(cases)) {
    console.error(`score:protocols: there are no cases in ${cases}; --cases DIR names another folder`)
    return 1
  }
  const progress = (line: string): void => console.error(`score:protocols: ${line}`)
  const score = await scoreSuites({ cases, suite: values.suite, progress })
  if (score.scores.length === 0) {
    console.error(
      `score:protocols: nothing to score: ${score.skipped.map(({ what, why }) => `${what}: ${why}`).join('; ')}`,
    )
    return 1
  }
  for (const { what, why } of score.skipped) progress(`${what} is left out: ${why}`)
  if (values.write) writeFileSync(PAGE, scoreboardPage(score))
  const worse = existsSync(PAGE) ? regressions(score, readBaseline(readFileSync(PAGE, 'utf8'))) : []
  for (const each of worse) progress(each)
  if (values.json) console.log(JSON.stringify(resultOf(score)))
  const crashed = score.scores.some(each => countOf(each.cases, 'crashed') > 0)
  return values.check && (worse.length > 0 || crashed) ? 1 : 0
}

function resultOf({ scores, skipped }: Score): object {
  return {
    suites: scores.map(({ suite, cases }) => ({
      name: suite.name,
      protocol: suite.protocol,
      passed: countOf(cases, 'passed'),
      failed: countOf(cases, 'failed'),
      excluded: countOf(cases, 'excluded'),
      crashed: countOf(cases, 'crashed'),
    })),
    excluded: listOf(scores, 'excluded'),
    failed: listOf(scores, 'failed'),
    crashed: listOf(scores, 'crashed'),
    skipped,
  }
}

function listOf(scores: Score['scores'], verdict: 'excluded' | 'failed' | 'crashed'): object[] {
  return scores.flatMap(({ suite, cases }) =>
    cases
      .filter(each => each.verdict === verdict)
      .map(({ name, why }) => ({ case: `${suite.name} ${name}`, why: why ?? '' })),
  )
}
