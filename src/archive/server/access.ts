import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { ServerError } from './server-error.js'

/** Who may do what on one listening address. */
export interface Access {
  /** read: guarded SELECTs only. */
  readonly rights: 'read' | 'write'
  /** undefined: whoever reaches the address is let in. */
  readonly password: string | undefined
  /** The address is a TCP port: a web page in a browser on this host could reach it. */
  readonly tcp: boolean
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

/** Throws ServerError 516 (AUTHENTICATION_FAILED). ClickHouse's four ways to give a password are understood. */
export function authenticate(request: IncomingMessage, parameters: URLSearchParams, access: Access): void {
  if (access.password === undefined) {
    if (access.tcp) refuseBrowsers(request)
    return
  }
  let user = header(request, 'x-clickhouse-user') ?? parameters.get('user')
  let password = header(request, 'x-clickhouse-key') ?? parameters.get('password') ?? ''
  const { authorization } = request.headers
  if (authorization?.startsWith('Basic ')) {
    const pair = Buffer.from(authorization.slice(6), 'base64').toString()
    const colon = pair.indexOf(':')
    user = pair.slice(0, colon)
    password = pair.slice(colon + 1)
  }
  const given = Buffer.from(password)
  const wanted = Buffer.from(access.password)
  if ((user ?? 'default') !== 'default' || given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    const name = (user ?? 'default').slice(0, 64)
    throw new ServerError(
      516,
      'AUTHENTICATION_FAILED',
      `${name}: Authentication failed: password is incorrect, or there is no user with such name.`,
    )
  }
}

/** Without a password, a page from elsewhere must not reach the port through the user's browser (DNS rebinding). */
function refuseBrowsers(request: IncomingMessage): void {
  const host = header(request, 'host')
  if ((host !== undefined && !LOOPBACK.test(host)) || request.headers.origin !== undefined) {
    throw new ServerError(516, 'AUTHENTICATION_FAILED', 'default: requests from web pages need a password.')
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
