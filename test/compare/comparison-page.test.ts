import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { compareTraces } from '../../src/compare/comparison.js'
import { comparisonPage } from '../../src/compare/comparison-page.js'
import { loadOsprofilerTrace } from '../../src/compare/load-osprofiler.js'
import { program, requires } from '../support/requirements.js'
import { fixture, recording, replayed } from './recorded-request.js'

const trace = await loadOsprofilerTrace(fixture('token-issue.osprofiler.json'), undefined)
const { spans } = await replayed(recording())
const comparison = compareTraces(trace, spans)

/** The page's DOM once its script has run in Chromium. */
function rendered(page: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-page-'))
  try {
    const path = join(folder, 'page.html')
    writeFileSync(path, page)
    const args = [
      '--no-sandbox',
      '--disable-gpu',
      '--window-size=1400,2000',
      '--virtual-time-budget=5000',
      '--dump-dom',
    ]
    return execFileSync('chromium-headless-shell', [...args, `--user-data-dir=${folder}/profile`, `file://${path}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('the page holds all it needs and asks nobody for more', () => {
  const page = comparisonPage(comparison)
  assert.doesNotMatch(page, /https?:|<link|<img|@import|src=/)
  assert.match(page, /default-src 'none'/)
})

test('text of the traces cannot become part of the page', () => {
  const detail = '<img onerror=x></script><script>alert(2)</script>'
  const hostile = {
    baseId: '</script><script>alert(1)</script>',
    spans: trace.spans.map(span => ({ ...span, detail })),
  }
  const page = comparisonPage(compareTraces(hostile, spans))
  assert.equal(page.match(/<script/g)!.length, 2)
  assert.doesNotMatch(page, /<img/)
})

test('in Chromium both waterfalls are there, with a line for every match', t => {
  if (!requires(t, program('chromium-headless-shell'))) return
  const dom = rendered(comparisonPage(comparison))
  const rows = dom.match(/<div class="row/g) ?? []
  assert.equal(rows.length, trace.spans.length + comparison.rebuilt.length)
  assert.equal((dom.match(/<path class="[a-z ]*" d="M0/g) ?? []).length, comparison.matched.length)
  assert.ok(dom.includes('<b>keystone </b>GET /v3'))
})
