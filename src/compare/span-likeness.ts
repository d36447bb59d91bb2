import type { OsprofilerSpan } from './osprofiler-trace.js'
import type { RebuiltSpan } from './rebuilt-span.js'

/** What a span of OSProfiler can be found as: `internal` is a function call that touches no socket by itself. */
export type PointKind = 'wsgi' | 'rpc' | 'rpcClient' | 'db' | 'internal'

/** Functions of a manager are called by message; those of an rpcapi send one. */
const RPC_CLIENT = /\.rpcapi\./
/** Methods of rpcapi classes that send nothing. */
const RPC_CLIENT_INTERNAL = /\.(get_client|router|client|can_send_\w+|_ver|prepare\w*)$/

export function kindOf(span: OsprofilerSpan): PointKind {
  if (span.name === 'wsgi') return 'wsgi'
  if (span.name === 'db' || span.name.endsWith('.db')) return 'db'
  if (span.name !== 'rpc') return 'internal'
  if (RPC_CLIENT_INTERNAL.test(span.detail)) return 'internal'
  return RPC_CLIENT.test(span.detail) ? 'rpcClient' : 'rpc'
}

/** How far the start of a match may lie from OSProfiler's, µs: a request may wait in its service before it is counted. */
export const FARTHEST_US: Readonly<Record<PointKind, number>> = {
  wsgi: 500e3,
  rpc: 500e3,
  rpcClient: 200e3,
  db: 60e3,
  internal: 0,
}

/** The group of spans in which a match is looked for: the same text for both sides where they may be the same. */
export function groupsOf(span: OsprofilerSpan): readonly string[] {
  const { detail } = span
  switch (kindOf(span)) {
    case 'wsgi':
      return [`wsgi ${detail.replace(/\/$/, '')}`]
    case 'rpc':
    case 'rpcClient': {
      const side = RPC_CLIENT.test(detail) ? 'rpcClient' : 'rpc'
      const method = detail.slice(detail.lastIndexOf('.') + 1)
      // A decorated method is called by its decorator's inner function: any message of that service may be it.
      return [detail.includes('<locals>') ? `${side} of ${span.service}` : `${side} ${method}`]
    }
    case 'db':
      return [`db ${statementKey(detail)}`]
    default:
      return []
  }
}

export function groupsOfRebuilt(span: RebuiltSpan): readonly string[] {
  const { attributes, kind, protocol } = span
  if (protocol === 'http' && kind === 'server') {
    const path = String(attributes['url.path'] ?? '').replace(/\/$/, '')
    return [`wsgi ${String(attributes['http.request.method'])} ${path}`]
  }
  const method = attributes['rpc.method']
  if (kind === 'consumer' && method !== undefined) return [`rpc ${String(method)}`, `rpc of ${span.service}`]
  if (kind === 'producer' && method !== undefined) return [`rpcClient ${String(method)}`]
  if (kind === 'client' && (protocol === 'mysql' || protocol === 'postgresql')) {
    return [`db ${statementKey(String(attributes['db.query.text'] ?? span.name))}`]
  }
  return []
}

/** Bytes of a statement by which it is compared: as many as are captured of it at least, less what placeholders take. */
const COMPARED = 48

/**
 * A statement as both sides can have it: OSProfiler's has placeholders (`%(id_1)s`), the reconstructed one `?` for each
 * literal; what lies behind the first of them may have any length.
 */
export function statementKey(statement: string): string {
  const plain = statement
    .replace(/%\(\w+\)s|%s|:\w+\b|'(?:[^'\\]|\\.)*'|\b\d+(?:\.\d+)?\b/g, '?')
    .replace(/\s+/g, ' ')
    .replace(/[`"]/g, '')
    .trim()
    .toUpperCase()
  return plain.slice(0, COMPARED)
}
