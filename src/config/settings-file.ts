import { readFileSync } from 'node:fs'
import {
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  visit,
} from 'yaml'
import { SettingsError, type SettingsIssue } from './settings-error.js'
import { type Environment, substitute } from './substitution.js'

export type SettingPath = readonly (string | number)[]

/** A settings file, substituted but not yet checked against the schema. */
export interface SettingsFile {
  readonly path: string
  readonly content: unknown
  /** `file:line:column` of a setting, or of the nearest one around it that is written. */
  placeOf(path: SettingPath): string
  has(path: SettingPath): boolean
}

/** Choices that stand for themselves: `console:` without anything after it means "the console, as it is". */
const EMPTY_CHOICES = new Set(['console', 'otlp_grpc', 'otlp_http'])
const LARGEST_FILE = 1_000_000

/** Reads a YAML (or JSON) settings file. Throws SettingsError with line and column of what cannot be read. */
export function readSettingsFile(path: string, environment: Environment): SettingsFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new SettingsError([{ place: path, path: '', message: `cannot be read: ${(error as Error).message}` }])
  }
  return parseSettingsFile(path, text, environment)
}

export function parseSettingsFile(path: string, text: string, environment: Environment): SettingsFile {
  if (text.length > LARGEST_FILE) {
    throw new SettingsError([{ place: path, path: '', message: `is larger than ${LARGEST_FILE} characters` }])
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${path}:${line}:${col}`
  }
  const issues: SettingsIssue[] = document.errors.map(error => ({
    place: place(error.pos[0]),
    path: '',
    message: `is not valid YAML: ${error.message.split('\n')[0]}`,
  }))
  if (issues.length === 0) issues.push(...substituteScalars(document, environment, place))
  if (issues.length > 0) throw new SettingsError(issues)
  return {
    path,
    content: contentOf(document, path),
    placeOf: setting => placeOfSetting(document, setting, place, path),
    has: setting => document.hasIn(setting),
  }
}

function contentOf(document: Document.Parsed, path: string): unknown {
  try {
    return withoutNulls(document.toJS({ maxAliasCount: 100 }))
  } catch (error) {
    // Aliases that multiply themselves beyond the limit.
    throw new SettingsError([{ place: path, path: '', message: `cannot be read: ${(error as Error).message}` }])
  }
}

function substituteScalars(
  document: Document.Parsed,
  environment: Environment,
  place: (offset: number) => string,
): SettingsIssue[] {
  const issues: SettingsIssue[] = []
  visit(document, {
    Scalar: (key, node) => {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('$')) return
      const result = substitute(node.value, environment)
      if (result.invalid !== undefined) {
        const message = `${result.invalid} is not a valid substitution; write \${NAME}, \${NAME:-default}, or $$ for a $`
        issues.push({ place: place(node.range?.[0] ?? 0), path: '', message })
        return
      }
      // Only plain scalars get their type anew; never a structure, whatever the variable holds.
      node.value = node.type === Scalar.PLAIN ? typedScalar(document, result.text) : result.text
    },
  })
  return issues
}

function typedScalar(document: Document.Parsed, text: string): unknown {
  for (const tag of document.schema?.tags ?? []) {
    if ('test' in tag && tag.default === true && tag.test?.test(text) === true && typeof tag.resolve === 'function') {
      const resolved = (tag.resolve as (text: string, onError: () => void, options: object) => unknown)(
        text,
        () => undefined,
        document.schema?.toStringOptions ?? {},
      )
      return isScalar(resolved) ? resolved.value : resolved
    }
  }
  return text
}

/** In the standard's form a setting that is null counts as left out, except where the bare name is the choice. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => inner !== null || EMPTY_CHOICES.has(key))
      .map(([key, inner]) => [key, inner === null ? {} : withoutNulls(inner)]),
  )
}

function placeOfSetting(
  document: Document.Parsed,
  path: SettingPath,
  place: (offset: number) => string,
  file: string,
): string {
  let node: unknown = document.contents
  let offset = offsetOf(node)
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        item => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part),
      )
      if (pair === undefined) break
      offset = offsetOf(pair.key) ?? offset
      node = pair.value
    } else if (isNode(node) && 'items' in node && typeof part === 'number') {
      node = (node.items as unknown[])[part]
      offset = offsetOf(node) ?? offset
    } else break
  }
  return offset === undefined ? file : place(offset)
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined
}
