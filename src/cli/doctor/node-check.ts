import { type Check, fail, ok } from './check.js'

const OLDEST_NODE = [20, 6] as const

export function nodeCheck(version = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const enough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  const name = 'node'
  if (enough) return ok(name, version)
  return fail(
    name,
    `${version}, needs ${OLDEST_NODE.join('.')} or newer`,
    'install Node.js 20 or 22: https://nodejs.org/en/download',
  )
}
