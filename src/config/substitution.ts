/** Variables by name, as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

export type Substitution = { readonly text: string; readonly invalid?: undefined } | { readonly invalid: string }

const REFERENCE = /\$\$|\$\{([^}\n]*)\}?/g
const NAME = /^(?:env:)?([a-zA-Z_][a-zA-Z0-9_]*)(?::-([\s\S]*))?$/

/**
 * Replaces `${NAME}`, `${env:NAME}` and `${NAME:-default}`; `$$` stands for one `$`. A variable that is unset or empty
 * gives the default, or nothing. What is put in is not looked at again (OpenTelemetry configuration, data model,
 * "Environment variable substitution"). Anything else in `${…}` is invalid, and named.
 */
export function substitute(text: string, environment: Environment): Substitution {
  let invalid: string | undefined
  const replaced = text.replace(REFERENCE, (whole, inside: string | undefined) => {
    if (whole === '$$') return '$'
    const match = whole.endsWith('}') ? NAME.exec(inside ?? '') : null
    if (match === null) {
      invalid ??= whole
      return whole
    }
    const value = environment[match[1]!]
    return value === undefined || value === '' ? (match[2] ?? '') : value
  })
  return invalid === undefined ? { text: replaced } : { invalid }
}
