import type { OsprofilerSpan } from './osprofiler-trace.js'
import type { RebuiltSpan } from './rebuilt-span.js'

export interface ExtraContext {
  readonly byRebuilt: ReadonlyMap<RebuiltSpan, OsprofilerSpan>
  /** Services of which OSProfiler has SQL at all. */
  readonly servicesWithSql: ReadonlySet<string>
  readonly spans: readonly RebuiltSpan[]
}

/** These do not go through a cursor of SQLAlchemy, whose events OSProfiler listens to. */
const TRANSACTION = /^(COMMIT|ROLLBACK|SET|START TRANSACTION|BEGIN|SAVEPOINT|RELEASE|SHOW|PING)\b/i

/** Why OSProfiler has no such span. */
export function extraReason(span: RebuiltSpan, { servicesWithSql }: ExtraContext): string {
  const { kind, protocol, name, service } = span
  if (kind === 'internal') return 'the command itself; OSProfiler begins at the first service'
  if (protocol === 'memcached') return 'OSProfiler has no hook for memcached'
  if (protocol === 'redis')
    return /^L(PUSH|RANGE)/.test(name) ? "OSProfiler's own writing" : 'OSProfiler has no hook for Redis'
  if (protocol === 'kafka') return 'OSProfiler has no hook for notifications'
  if (protocol === 'amqp') {
    if (span.attributes['rpc.method'] !== undefined) {
      return kind === 'producer'
        ? 'the sending of a remote call, of which OSProfiler has the receiving side'
        : 'received outside of a profiled context'
    }
    return 'an answer or a notification: OSProfiler has no span for it'
  }
  if (protocol === 'mysql' || protocol === 'postgresql') {
    if (TRANSACTION.test(name)) return 'transaction control does not pass a cursor, where OSProfiler listens'
    if (!servicesWithSql.has(service)) return `OSProfiler has no SQL of ${service}`
    return "not in OSProfiler's trace: outside of a profiled context"
  }
  if (protocol === 'http' && kind === 'client') return 'the calling side; OSProfiler has the serving side'
  if (protocol === 'http') return "the request came without OSProfiler's headers"
  return `OSProfiler has no hook for ${protocol}`
}
