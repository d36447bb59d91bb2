// What a bare clone lacks: npm packages, Debian packages, compiled TypeScript, the addon and the BPF objects.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { runStep, StepError, say } from './progress.mjs'
import { ensureSystemPackages } from './system-packages.mjs'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const OLDEST_NODE = [20, 6]
const ATTEMPTS = 3

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return
  throw new StepError(`Node.js ${process.versions.node} is too old: ${OLDEST_NODE.join('.')} or newer is needed`)
}

const readJson = path => JSON.parse(readFileSync(path, 'utf8'))

/** Why node_modules is not what package-lock.json says; undefined if it is. */
function npmLack() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installed)) return 'they are not installed'
  const there = readJson(installed).packages
  for (const [path, entry] of Object.entries(readJson(join(root, 'package-lock.json')).packages)) {
    if (path === '' || entry.link || entry.optional || entry.devOptional) continue
    if (there[path]?.version !== entry.version)
      return `${path.replace(/^node_modules\//, '')} is not at ${entry.version}`
  }
  return undefined
}

async function ensureNpmPackages() {
  const lack = npmLack()
  if (lack === undefined) return
  for (let attempt = 1; ; attempt++) {
    try {
      await runStep(`npm packages (${lack})`, 'npm', ['ci', '--no-audit', '--no-fund'], { cwd: root })
      return
    } catch (problem) {
      if (!(problem instanceof StepError) || attempt === ATTEMPTS) throw problem
      say(`set-up: ${problem.message}\nset-up: trying again (${attempt + 1} of ${ATTEMPTS})`)
      await sleep(3_000)
    }
  }
}

function filesBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
}

const SOURCES = ['src', 'test', 'bench']

/** All that the compiler reads, with size and time: the same text means that nothing has to be compiled. */
function sourceState() {
  const files = SOURCES.flatMap(name => filesBelow(join(root, name))).filter(path => path.endsWith('.ts'))
  const all = [...files, join(root, 'tsconfig.json'), join(root, 'node_modules', '.package-lock.json')]
  return all
    .sort()
    .map(path => `${path.slice(root.length + 1)} ${statSync(path).size} ${statSync(path).mtimeMs}\n`)
    .join('')
}

/** Compiled files whose source has been removed or renamed would still be found and run. */
function removeOrphans() {
  for (const path of SOURCES.flatMap(name => filesBelow(join(root, 'dist', name)))) {
    const source = join(root, path.slice(join(root, 'dist').length + 1).replace(/\.js$/, '.ts'))
    if (path.endsWith('.js') && !existsSync(source)) rmSync(path)
  }
}

async function ensureCompiled() {
  const stamp = join(root, 'dist', '.sources')
  const state = sourceState()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return
  rmSync(stamp, { force: true })
  // The compiler's memory of what it wrote is no use once the files are gone.
  if (!existsSync(join(root, 'dist', 'src'))) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true })
  await runStep('TypeScript, type check and build', process.execPath, [join(root, 'scripts', 'build.mjs')], {
    cwd: root,
  })
  removeOrphans()
  mkdirSync(join(root, 'dist'), { recursive: true })
  writeFileSync(stamp, state)
}

/** @returns {Promise<string | undefined>} why there is no addon, undefined if there is one */
async function ensureNative() {
  const { buildNative } = await import('./build-native.mjs')
  const since = performance.now()
  try {
    let built = false
    const log = line => {
      built = !line.includes('up to date')
      if (built) say(`set-up: addon and BPF objects: ${line}`)
    }
    await buildNative({ log })
    if (built) say(`set-up: addon and BPF objects: done (${((performance.now() - since) / 1000).toFixed(1)} s)`)
    return undefined
  } catch (problem) {
    return problem.message
  }
}

/**
 * Brings everything up to date; quick when it is.
 * @param {{ measure?: boolean, openstack?: boolean }} [needs] measure: also what only tests and measurements use;
 *   openstack: also the services of the OpenStack lab
 * @returns {Promise<{ missing: string[], native: string | undefined, seconds: number }>} Debian packages that are
 *   missing, and why live capture is not possible
 */
export async function setUp(needs = {}) {
  const since = performance.now()
  checkNode()
  await ensureNpmPackages()
  const missing = await ensureSystemPackages(root, needs)
  await ensureCompiled()
  const native = await ensureNative()
  const seconds = (performance.now() - since) / 1000
  say(`set-up: ready (${seconds.toFixed(1)} s)`)
  if (native !== undefined) say(`set-up: live capture will not work: ${native}`)
  return { missing, native, seconds }
}

/** Runs the body; a step that failed is told without a stack. */
export async function main(body) {
  try {
    process.exitCode = await body()
  } catch (problem) {
    if (!(problem instanceof StepError)) throw problem
    say(`set-up: ${problem.message}`)
    process.exitCode = 1
  }
}
