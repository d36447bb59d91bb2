import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { demoPackages } from '../../src/demo/demo-packages.js'
import type { DemoFigures } from '../../src/demo/demo-report.js'
import { runDemo } from '../../src/demo/run-demo.js'
import { btf, file, requires, root } from '../support/requirements.js'

const requirements = [root, btf, ...demoPackages().map(each => file(each.file, `the Debian package ${each.name}`))]

const options = {
  requests: 120,
  concurrency: 16,
  check: true,
  json: true,
  source: 'live' as const,
  archive: undefined,
  otlp: undefined,
  setupSeconds: 0,
}

test('requests to a real system are seen from the kernel, every link of them right', async t => {
  if (!requires(t, ...requirements)) return
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-test-'))
  let printed = ''
  let told = ''
  try {
    const code = await runDemo({
      ...options,
      archive: { dataDirectory: folder },
      print: text => {
        printed += text
      },
      progress: text => {
        told += text
      },
    })
    assert.equal(code, 0, told)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const figures = JSON.parse(printed) as DemoFigures
  assert.equal(figures.source, 'live')
  assert.equal(figures.requests, options.requests)
  assert.equal(figures.traces, options.requests)
  assert.equal(figures.oneRoot, options.requests)
  assert.equal(figures.merged, 0)
  assert.equal(figures.archive?.spans, figures.spans)
})

test('an interrupted demo stops its servers and says so', async t => {
  if (!requires(t, ...requirements)) return
  // A temporary directory of its own: other demos may run meanwhile.
  const temporary = mkdtempSync(join(tmpdir(), 'ghostspan-test-'))
  chmodSync(temporary, 0o755)
  const usual = process.env['TMPDIR']
  process.env['TMPDIR'] = temporary
  t.after(() => {
    if (usual === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = usual
    rmSync(temporary, { recursive: true, force: true })
  })
  const stop = new AbortController()
  let told = ''
  const code = await runDemo({
    ...options,
    signal: stop.signal,
    print: () => {},
    progress: text => {
      told += text
      // While the slowest of the servers starts.
      if (text.includes('mariadb is up')) stop.abort()
    },
  })
  assert.equal(code, 130, told)
  assert.match(told, /interrupted/)
  assert.deepEqual(readdirSync(temporary), [])
})
