import { nearestName } from './nearest-name.js'
import { type Override, typedText } from './override.js'
import { settingTree } from './setting-tree.js'
import type { Environment } from './substitution.js'

/** Variables that are no settings: of the tests, and of errors' traces. */
const OTHER = new Set(['GHOSTSPAN_REQUIRE_ALL', 'GHOSTSPAN_DEBUG'])

/**
 * `GHOSTSPAN_…` variables, one for each single value of our own part: the path in capitals, joined by `_`. An empty
 * one counts as unset.
 */
export function readOwnEnvironment(environment: Environment): { overrides: Override[]; warnings: string[] } {
  const known = settingTree().filter(setting => setting.variable !== undefined)
  const overrides: Override[] = []
  for (const { variable, path, schema } of known) {
    const text = environment[variable!]
    if (text === undefined || text === '') continue
    overrides.push({ place: `environment variable ${variable}`, path, value: typedText(text, schema.type) })
  }
  const names = known.map(setting => setting.variable!)
  const sections = new Set(names.map(name => name.split('_')[1]!))
  const warnings: string[] = []
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('GHOSTSPAN_') || names.includes(name) || OTHER.has(name)) continue
    if (!sections.has(name.split('_')[1]!)) continue
    const near = nearestName(name, names)
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    warnings.push(`environment variable ${name} is not a setting and was ignored${hint}`)
  }
  return { overrides, warnings }
}
