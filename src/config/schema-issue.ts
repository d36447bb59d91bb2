import { nearestName } from './nearest-name.js'
import { allowedNames } from './setting-tree.js'
import type { SettingsIssue } from './settings-error.js'
import type { SettingPath } from './settings-file.js'

/** The parts of the schema's issues that we read. */
export interface SchemaIssue {
  readonly code: string
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly keys?: readonly string[]
  readonly values?: readonly unknown[]
  readonly expected?: string
}

/** The schema's issue in our words: what was written, what is allowed. */
export function readable(issue: SchemaIssue, raw: unknown, placeOf: (path: SettingPath) => string): SettingsIssue[] {
  if (issue.code === 'unrecognized_keys') {
    const allowed = allowedNames(issue.path) ?? []
    return issue.keys!.map(key => {
      const near = nearestName(key, allowed)
      const hint = near === undefined ? '' : ` (did you mean ${near}?)`
      const path = [...issue.path, key]
      return {
        place: placeOf(path),
        path: path.join('.'),
        message: `is not a setting${hint}; allowed: ${allowed.join(', ')}`,
      }
    })
  }
  const written = valueAt(raw, issue.path)
  const place = placeOf(issue.path)
  const path = issue.path.join('.')
  if (written === undefined && issue.code === 'invalid_type') {
    return [{ place, path, message: `is missing${missingHint(issue)}` }]
  }
  const message = issue.code === 'invalid_value' ? `must be one of: ${issue.values!.join(', ')}` : ourMessage(issue)
  return [{ place, path, message: `${message}${notText(written, issue.path)}` }]
}

function missingHint(issue: SchemaIssue): string {
  if (issue.message.startsWith('must be')) return `; it ${issue.message}`
  const allowed = allowedNames(issue.path)
  return allowed === undefined ? '' : `; it takes: ${allowed.join(', ')}`
}

function ourMessage(issue: SchemaIssue): string {
  if (!issue.message.startsWith('Invalid')) return issue.message
  const allowed = allowedNames(issue.path)
  if (allowed !== undefined) return `must be a group of: ${allowed.join(', ')}`
  return issue.expected === 'array' ? 'must be a list' : `must be a ${issue.expected ?? 'different value'}`
}

/** What was written instead, where it is short and cannot be a secret. */
function notText(written: unknown, path: SettingPath): string {
  if (path.some(part => SECRET.has(part)) || String(written).includes('@')) return ''
  if (typeof written === 'string') return written.length > 60 ? '' : `; not '${written}'`
  return typeof written === 'number' || typeof written === 'boolean' ? `; not ${written}` : ''
}

const SECRET = new Set<string | number>(['password', 'headers', 'headers_list'])

/** What a plain document holds at a path. */
export function valueAt(raw: unknown, path: SettingPath): unknown {
  let value = raw
  for (const part of path) value = (value as Record<string | number, unknown> | undefined)?.[part]
  return value
}
