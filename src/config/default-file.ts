import { allowedText, isGroup, type SchemaNode } from './setting-tree.js'
import { FILE_FORMAT, settingsJsonSchema } from './settings-schema.js'

/**
 * A settings file with every setting: those with a default as they are, the others commented out with what they take.
 * Written from the schema; reading it back gives the defaults.
 */
export function defaultFile(): string {
  const heading = [
    '# Settings of Ghostspan: every one of them, with its default. What is left out has the default.',
    '# A flag wins over the environment (GHOSTSPAN_...), the environment over this file.',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: shown to the reader of the file
    '# ${NAME} and ${NAME:-default} are replaced by environment variables; $$ stands for a $.',
    '',
  ]
  return [...heading, ...groupLines(settingsJsonSchema() as SchemaNode, 0, undefined), ''].join('\n')
}

/** Where commenting out began; lines inside keep their own indentation after the mark. */
type Off = number | undefined

function indent(depth: number, off: Off): string {
  return off === undefined ? '  '.repeat(depth) : `${'  '.repeat(off)}# ${'  '.repeat(depth - off)}`
}

function groupLines(schema: SchemaNode, depth: number, off: Off): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => settingLines(name, inner, depth, off))
}

function settingLines(name: string, schema: SchemaNode, depth: number, outerOff: Off): string[] {
  const missing = schema.default === undefined && name !== 'file_format'
  const off = outerOff ?? (missing ? depth : undefined)
  const start = indent(depth, off)
  const lines = schema.description === undefined ? [] : [`${start}# ${schema.description}`]
  if (isGroup(schema) && Object.keys(schema.properties!).length > 0) {
    return [...lines, `${start}${name}:`, ...groupLines(schema, depth + 1, off)]
  }
  if (schema.items?.properties !== undefined) return [...lines, ...listLines(name, schema, depth, off)]
  if (isGroup(schema)) return [...lines, `${start}${name}:`]
  if (missing) return [...lines, `${start}${name}: # ${allowedText(schema)}`]
  const value = name === 'file_format' ? FILE_FORMAT : schema.default
  const note = isPlainText(schema) ? '' : ` # ${allowedText(schema)}`
  return [...lines, `${start}${name}: ${scalarText(value)}${note}`]
}

/** A list: its default (an empty list), and what an entry looks like, commented out. */
function listLines(name: string, schema: SchemaNode, depth: number, off: Off): string[] {
  const entryOff = off ?? depth + 1
  const entry = groupLines(schema.items!, depth + 2, entryOff)
  const first = `${Object.keys(schema.items!.properties!)[0]}:`
  const dash = entry.findIndex(line => line.replace(/^[ #]*/, '').startsWith(first))
  const start = `${indent(depth, off)}${name}:`
  const marked = entry.map((line, index) => {
    if (index > dash) return line
    return index === dash ? line.replace(`  ${first}`, `- ${first}`) : line.replace(/^(\s*# *?) {2}#/, '$1#')
  })
  return [schema.default === undefined ? start : `${start} []`, ...marked]
}

function isPlainText(schema: SchemaNode): boolean {
  return schema.type === 'string' && schema.title === undefined && schema.enum === undefined
}

function scalarText(value: unknown): string {
  // Quoted where YAML would read a plain text as something else.
  if (typeof value !== 'string') return JSON.stringify(value)
  return /^[A-Za-z0-9][A-Za-z0-9.:/_-]*[A-Za-z][A-Za-z0-9/_-]*$|^[a-z]+$/.test(value) ? value : JSON.stringify(value)
}
