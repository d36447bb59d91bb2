import { startRabbitmq } from '../../support/rabbitmq-server.js'
import { program } from '../../support/requirements.js'
import type { Lab } from '../lab.js'
import { debianPython, servePython } from '../python.js'
import { certain, handedOver, type Workload } from '../workload.js'

interface Rpc {
  readonly kind: 'call' | 'cast' | 'both'
  /** Messages that the server works on at once; more wait in its backlog. */
  readonly greenlets: number
}

async function start(lab: Lab, { kind, greenlets }: Rpc): Promise<void> {
  const broker = await startRabbitmq()
  lab.onStop(() => broker.stop())
  const url = `rabbit://guest:guest@127.0.0.1:${broker.port}/`
  const [serverPort] = lab.morePorts
  await servePython(lab, 'rpc_server', [url, `${greenlets}`], serverPort)
  await servePython(lab, 'rpc_front', [url, kind])
}

const oslo = {
  carrier: 'greenlet, queue',
  needs: [...debianPython('eventlet', 'oslo_messaging'), program('rabbitmq-server')],
  requests: 300,
  evidence: ['wire', 'context', 'content'],
} as const

export const osloCalls: Workload = {
  ...oslo,
  name: 'oslo-calls',
  about: 'an eventlet API calls an RPC server over RabbitMQ, which calls the backend, also by spawned greenlets',
  concurrency: [1, 10, 50],
  goal: certain,
  start: lab => start(lab, { kind: 'call', greenlets: 64 }),
}

export const osloCasts: Workload = {
  ...oslo,
  name: 'oslo-casts',
  about: 'calls, and casts that nobody waits for',
  concurrency: [1, 10],
  goal: certain,
  start: lab => start(lab, { kind: 'both', greenlets: 64 }),
}

export const osloBacklog: Workload = {
  ...oslo,
  name: 'oslo-backlog',
  about: 'casts to a server of four greenlets: nearly all wait in its backlog',
  concurrency: [20],
  goal: handedOver,
  start: lab => start(lab, { kind: 'cast', greenlets: 4 }),
}
