import type { SettingPath } from './settings-file.js'

/** A setting given by a flag or an environment variable; it wins over the file. */
export interface Override {
  /** How messages call its place: `--log-level`, `environment variable GHOSTSPAN_LOG_LEVEL`. */
  readonly place: string
  readonly path: SettingPath
  readonly value: unknown
}

/** A text as a YAML scalar of the type that the setting wants would read; left as it is where it does not fit. */
export function typedText(text: string, type: string | readonly string[] | undefined): unknown {
  if (type === 'boolean') {
    const lower = text.toLowerCase()
    return lower === 'true' ? true : lower === 'false' ? false : text
  }
  if (type === 'integer' || type === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
  return text
}

/**
 * Puts a value at a path of a plain document, making objects and lists on the way. What stands in the way and is
 * neither is left for the schema to refuse.
 */
export function setAt(document: Record<string, unknown>, path: SettingPath, value: unknown): void {
  let at: Record<string | number, unknown> = document
  for (const [index, part] of path.slice(0, -1).entries()) {
    at[part] ??= typeof path[index + 1] === 'number' ? [] : {}
    if (typeof at[part] !== 'object') return
    at = at[part] as Record<string | number, unknown>
  }
  at[path[path.length - 1]!] = value
}
