import type { FinishedTrace } from '../../src/traces/span.js'
import { hexId, link, service, span, trace } from './finished-traces.js'

/** The trace that the README shows: nginx before a web service that asks a database, a cache and a queue. */
export function ordersTrace(marks: Partial<FinishedTrace> = {}): FinishedTrace {
  const [nginx, web, worker] = [service('nginx'), service('web'), service('worker')]
  const traceId = `4f1c09${hexId(26, 1)}`
  const id = (number: number): string => hexId(16, number)
  const child = (number: number, parent: number) => ({ traceId, spanId: id(number), parentSpanId: id(parent) })
  const http = { 'http.request.method': 'POST', 'http.response.status_code': 201 }
  const context = link('context', 1)
  return trace(
    [
      span({ traceId, spanId: id(1), name: 'POST /orders', micros: 12_400, resource: nginx, attributes: http }),
      span({
        ...child(2, 1),
        kind: 'client',
        name: 'POST /orders',
        at: 337_200,
        micros: 11_900,
        resource: nginx,
        link: context,
      }),
      span({ ...child(3, 2), name: 'POST /orders', at: 337_300, micros: 11_600, resource: web, link: link('wire', 1) }),
      span({
        ...child(4, 3),
        kind: 'client',
        name: 'SELECT shop.items',
        at: 338_000,
        micros: 640,
        resource: web,
        link: context,
        attributes: { 'db.system.name': 'mariadb' },
      }),
      span({
        ...child(5, 3),
        kind: 'client',
        name: 'GET',
        at: 339_500,
        micros: 87,
        resource: web,
        link: link('context', 0.9999),
        attributes: { 'db.system.name': 'redis' },
        status: { code: 'error', message: 'WRONGTYPE Operation against a key' },
      }),
      span({
        ...child(6, 3),
        kind: 'producer',
        name: 'send orders',
        at: 343_000,
        micros: 200,
        resource: web,
        link: context,
      }),
      span({
        ...child(7, 6),
        kind: 'consumer',
        name: 'process orders',
        at: 343_400,
        micros: 5_100,
        resource: worker,
        link: link('content', 0.99),
      }),
    ],
    marks,
  )
}
