// npm test: sets up whatever is missing, lints, type-checks, builds, and runs the tests.
//   npm test                            all of them
//   npm test -- score demo/truth       those whose path holds one of the words
//   npm test -- --test-name-pattern=X  options are handed on to node --test
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runStep, StepError, say } from './progress.mjs'
import { runNode } from './run-node.mjs'
import { main, root, setUp } from './set-up.mjs'

function testFiles(words) {
  const folder = join(root, 'dist', 'test')
  const files = readdirSync(folder, { recursive: true })
    .filter(name => name.endsWith('.test.js'))
    // What was compiled from a source that is gone is not run.
    .filter(name => existsSync(join(root, 'test', name.replace(/\.js$/, '.ts'))))
    .sort()
    .map(name => join('dist', 'test', name))
  const plain = words.map(word => word.replace(/\.[tj]s$/, '').replace(/^(dist\/)?test\//, 'test/'))
  return plain.length === 0 ? files : files.filter(file => plain.some(word => file.includes(word)))
}

await main(async () => {
  const args = process.argv.slice(2)
  const options = args.filter(arg => arg.startsWith('-'))
  const words = args.filter(arg => !arg.startsWith('-'))
  process.chdir(root)
  const { missing, native } = await setUp({ measure: true })
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  await runStep('lint and format check', process.execPath, [biome, 'check', '--error-on-warnings', '.'])
  const files = testFiles(words)
  if (files.length === 0) throw new StepError(`no test file's path holds ${words.join(' or ')}`)
  const skipped = [
    ...(process.getuid() === 0 ? [] : ['tests of live capture need root']),
    ...(native === undefined ? [] : ['tests of live capture need the addon, which could not be built']),
    ...(missing.length === 0 ? [] : [`tests with real servers need the Debian packages ${missing.join(' ')}`]),
  ]
  for (const each of skipped) say(`test: will be skipped: ${each}`)
  const how = ['--test', '--test-reporter=spec', '--test-concurrency=2', '--test-timeout=300000']
  return runNode([...how, ...options, ...files])
})
