import { type Override, setAt } from './override.js'
import { readable, type SchemaIssue, valueAt } from './schema-issue.js'
import { SettingsError, type SettingsIssue } from './settings-error.js'
import type { SettingPath, SettingsFile } from './settings-file.js'
import { DISTRIBUTION_VERSION, FILE_FORMAT, type SettingsDocument, settingsSchema } from './settings-schema.js'

/** A file's content and overrides together, checked against the schema and filled with defaults. */
export function checkedDocument(
  file: SettingsFile | undefined,
  overrides: readonly Override[],
  knownIssues: readonly SettingsIssue[] = [],
): { document: SettingsDocument; warnings: string[] } {
  const content = file === undefined ? { file_format: FILE_FORMAT } : file.content
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    const message = `must be a document with names and values that begins with file_format: "${FILE_FORMAT}"`
    throw new SettingsError([{ place: file?.path ?? '', path: '', message }])
  }
  const raw = structuredClone(content) as Record<string, unknown>
  const issues = [...knownIssues]
  for (const { path, value } of overrides) setAt(raw, path, structuredClone(value))
  const placeOf = (path: SettingPath): string => placeOfPath(path, overrides, file)
  const warnings = checkVersions(raw, placeOf, issues)
  const parsed = settingsSchema.safeParse(raw)
  const found = (parsed.error?.issues ?? []) as readonly SchemaIssue[]
  for (const issue of found) {
    // What is wrong with a group as a whole is no news where one of its names is.
    const known = issue.code === 'custom' && found.some(other => other.keys !== undefined && samePath(other, issue))
    if (!known) issues.push(...readable(issue, raw, placeOf))
  }
  if (issues.length > 0) throw new SettingsError(issues)
  return { document: parsed.data!, warnings }
}

/**
 * Where a value was written: a flag, a variable, or a line of the file. Of a missing one, where its nearest
 * surroundings were written.
 */
function placeOfPath(path: SettingPath, overrides: readonly Override[], file: SettingsFile | undefined): string {
  const around = overrides.filter(override => begins(path, override.path))
  const value = around.findLast(override => typeof override.value !== 'object' || override.path.length === path.length)
  if (value !== undefined) return value.place
  for (let length = path.length; length > 0; length--) {
    const part = path.slice(0, length)
    if (file?.has(part) === true) return file.placeOf(path)
    const inside = overrides.filter(override => begins(override.path, part) && !around.includes(override))
    if (inside.length > 0) return [...new Set(inside.map(override => override.place))].join(', ')
  }
  return around.at(-1)?.place ?? file?.placeOf(path) ?? ''
}

function samePath(a: SchemaIssue, b: SchemaIssue): boolean {
  return a.path.length === b.path.length && begins(a.path, b.path)
}

function begins(path: SettingPath, beginning: SettingPath): boolean {
  return beginning.length <= path.length && beginning.every((part, at) => path[at] === part)
}

/** Refuses other major versions, warns of newer minor ones; returns the warnings. */
function checkVersions(
  raw: Record<string, unknown>,
  placeOf: (path: SettingPath) => string,
  issues: SettingsIssue[],
): string[] {
  const versions: readonly (readonly [SettingPath, string])[] = [
    [['file_format'], FILE_FORMAT],
    [['distribution', 'ghostspan', 'version'], DISTRIBUTION_VERSION],
  ]
  const warnings: string[] = []
  for (const [path, ours] of versions) {
    const written = valueAt(raw, path)
    if (typeof written !== 'string') continue
    const [, major, minor] = /^(\d+)\.(\d+)$/.exec(written) ?? []
    const [ourMajor, ourMinor] = ours.split('.')
    const name = path.join('.')
    if (major !== ourMajor) {
      issues.push({
        place: placeOf(path),
        path: name,
        message: `must be "${ours}" (any ${ourMajor}.x); not '${written}'`,
      })
    } else if (Number(minor) > Number(ourMinor)) {
      warnings.push(`${placeOf(path)}: ${name} is "${written}", newer than "${ours}"; settings added since are refused`)
    }
  }
  return warnings
}
