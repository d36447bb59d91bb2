import { settingsJsonSchema } from './settings-schema.js'

/** The parts of JSON Schema that describe one setting. */
export interface SchemaNode {
  readonly type?: string | readonly string[]
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
}

/** One setting, or a group of them, in the order of the schema. */
export interface SettingInfo {
  /** Names and, for an entry of a list, '*'. */
  readonly path: readonly string[]
  readonly schema: SchemaNode
  readonly required: boolean
  /** `GHOSTSPAN_…`, for single values of our own part that are not inside a list. */
  readonly variable: string | undefined
}

const OWN_PART = ['distribution', 'ghostspan']

let tree: readonly SettingInfo[] | undefined

/** Every setting and group, outer before inner. */
export function settingTree(): readonly SettingInfo[] {
  tree ??= collect(settingsJsonSchema() as SchemaNode, [], true)
  return tree
}

function collect(schema: SchemaNode, path: readonly string[], required: boolean): SettingInfo[] {
  const found: SettingInfo[] = path.length === 0 ? [] : [{ path, schema, required, variable: variableOf(path, schema) }]
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    found.push(...collect(inner, [...path, name], schema.required?.includes(name) === true))
  }
  if (schema.items?.properties !== undefined) found.push(...collect(schema.items, [...path, '*'], true))
  return found
}

function variableOf(path: readonly string[], schema: SchemaNode): string | undefined {
  if (path[0] !== OWN_PART[0] || path[1] !== OWN_PART[1] || path.includes('*')) return undefined
  const inner = path.slice(OWN_PART.length)
  if (inner.length === 0 || inner[0] === 'version' || isGroup(schema) || schema.type === 'array') return undefined
  return `GHOSTSPAN_${inner.join('_').toUpperCase()}`
}

export function isGroup(schema: SchemaNode): boolean {
  return schema.properties !== undefined
}

/** Names that may stand at a path; undefined where it is no group. List positions count as '*'. */
export function allowedNames(path: readonly (string | number)[]): readonly string[] | undefined {
  let schema: SchemaNode | undefined = settingsJsonSchema() as SchemaNode
  for (const part of path) schema = typeof part === 'number' ? schema?.items : schema?.properties?.[part]
  return schema?.properties === undefined ? undefined : Object.keys(schema.properties)
}

/** What a value must look like, in words. */
export function allowedText(schema: SchemaNode): string {
  if (schema.enum !== undefined) return schema.enum.join(', ')
  if (schema.title !== undefined) return schema.title
  if (schema.anyOf !== undefined) return schema.anyOf.map(allowedText).join(' or ')
  if (schema.type === 'boolean') return 'true, false'
  if (schema.type === 'integer' || schema.type === 'number') {
    const kind = schema.type === 'integer' ? 'whole number' : 'number'
    const { minimum, maximum } = schema
    const to = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? '' : ` to ${maximum}`
    return minimum === undefined ? kind : `${kind} from ${minimum}${to}`
  }
  if (schema.type === 'array') return 'list'
  return Array.isArray(schema.type) ? schema.type.join(', ') : isGroup(schema) ? 'group' : 'text'
}
