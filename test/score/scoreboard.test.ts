import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { scoreSuites } from '../../bench/score/score.js'
import { type Baseline, readBaseline, regressions, scoreboardPage } from '../../bench/score/scoreboard-page.js'
import type { ScoredCase, Suite } from '../../bench/score/verdict.js'
import { packageRoot } from '../../src/capture/native-addon.js'

const CASES = resolve(process.env['GHOSTSPAN_CASES'] ?? join(packageRoot(), '..', 'shared', 'cases'))
const committed = (): Baseline => readBaseline(readFileSync(join(packageRoot(), 'docs', 'scoreboard.md'), 'utf8'))

test("no case of others' captures is worse than the committed scoreboard says, and none is excluded that was not", async t => {
  if (!existsSync(CASES)) {
    t.skip(`there are no cases in ${CASES}: GHOSTSPAN_CASES names their folder`)
    return
  }
  const score = await scoreSuites({ cases: CASES })
  for (const { what, why } of score.skipped) t.diagnostic(`${what} is left out: ${why}`)
  assert.deepEqual(regressions(score, committed()), [])
})

const suite: Suite = { name: 'some-suite', protocol: 'http', folder: '', rule: 'A rule.', score: async () => [] }
const pageOf = (...cases: ScoredCase[]): string => scoreboardPage({ scores: [{ suite, cases }], skipped: [] })
const worse = (before: ScoredCase[], ...cases: ScoredCase[]): string[] =>
  regressions({ scores: [{ suite, cases }], skipped: [] }, readBaseline(pageOf(...before)))

test('a case that gets worse is named, one that gets better is not', () => {
  const before: ScoredCase[] = [
    { name: 'a', verdict: 'passed' },
    { name: 'b `c`: d', verdict: 'failed', why: 'x' },
    { name: 'e', verdict: 'excluded', why: 'y' },
  ]
  assert.deepEqual(worse(before, ...before), [])
  assert.deepEqual(worse(before, { name: 'b `c`: d', verdict: 'passed' }, { name: 'e', verdict: 'passed' }), [])
  assert.equal(worse(before, { name: 'a', verdict: 'failed', why: 'z' }).length, 1)
  assert.equal(worse(before, { name: 'b `c`: d', verdict: 'crashed', why: 'z' }).length, 1)
  assert.equal(worse(before, { name: 'e', verdict: 'failed', why: 'z' }).length, 1)
  assert.equal(worse(before, { name: 'new', verdict: 'failed', why: 'z' }).length, 1)
})

test('an exclusion more than before is named', () => {
  const before: ScoredCase[] = [
    { name: 'a', verdict: 'failed', why: 'x' },
    { name: 'b', verdict: 'excluded', why: 'y' },
  ]
  const now: ScoredCase[] = [{ name: 'a', verdict: 'excluded', why: 'easy' }, before[1]!]
  assert.deepEqual(worse(before, ...now), ['some-suite: 2 cases are excluded, 1 were'])
})
