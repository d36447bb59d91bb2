const DATABASE = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/

/** Where a ClickHouse server is, and how to log in. */
export interface ServerAddress {
  /** Scheme, host, port and path prefix, without user, password or database. */
  readonly url: string
  readonly username: string
  readonly password: string
  readonly database: string
  /** For people: no password in it. */
  readonly text: string
}

/**
 * Reads `http[s]://[user[:password]@]host[:port][/database]`. Throws on anything else; the message names the allowed
 * form and never repeats the password.
 */
export function parseServerUrl(
  text: string,
  given: { readonly username?: string; readonly password?: string; readonly database?: string } = {},
): ServerAddress {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new Error(
      'archive: the ClickHouse URL cannot be read; write http://host:8123 or http://user@host:8123/database',
    )
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(
      `archive: the ClickHouse URL begins with ${url.protocol}//; only the HTTP interface is spoken: http://host:8123`,
    )
  }
  const path = decodeURIComponent(url.pathname.replace(/^\/+|\/+$/g, ''))
  const database = given.database ?? (path === '' ? 'ghostspan' : path)
  if (!DATABASE.test(database)) {
    throw new Error(`archive: '${database}' cannot be a database's name; use letters, digits and _`)
  }
  const port = url.port !== '' ? url.port : url.protocol === 'http:' ? '8123' : '8443'
  const base = `${url.protocol}//${url.hostname}:${port}`
  return {
    url: base,
    username: given.username ?? (url.username === '' ? 'default' : decodeURIComponent(url.username)),
    password: given.password ?? decodeURIComponent(url.password),
    database,
    text: `${base}/${database}`,
  }
}
