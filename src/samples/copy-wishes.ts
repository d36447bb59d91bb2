import type { CaptureControl } from '../capture/event-source.js'
import type { CopyPolicy } from '../protocols/protocol.js'
import type { ConnectionState } from './connection-state.js'

/** What the kernel is asked to copy: of a connection, and of all further ones to the same port from their first byte on. */
export interface CopyWishes {
  ask(state: ConnectionState, wants: CopyPolicy): void
  /** A connection's protocol has been found out. */
  askAlsoOfPort(state: ConnectionState, wants: CopyPolicy): void
  /** A connection turned out to need more than its kind: later ones to the same port most likely will, too. */
  askMore(state: ConnectionState, wants: CopyPolicy): void
  /** Nothing but counts of this connection. */
  countOnly(state: ConnectionState): void
  /** … nor, where both ends are on this host, of accepted ends at its port. */
  countOnlyAtPort(state: ConnectionState): void
}

const COUNT_ONLY: CopyPolicy = { clientHead: 0, serverHead: 0, clientTail: 0, serverTail: 0, countOnly: true }
/** Beyond so many ports new ones are not told to the kernel. */
const MOST_PORTS = 10_000

export function createCopyWishes(control: CaptureControl): CopyWishes {
  const told = new Set<number>()
  const leaves = new Set<number>()
  const ask = (state: ConnectionState, wants: CopyPolicy): void => {
    state.wants = wants
    control.setConnectionPolicy(state.connection.id, wants)
  }
  return {
    ask,
    askAlsoOfPort: (state, wants) => {
      ask(state, wants)
      const port = serverPort(state)
      if (port === 0 || told.has(port) || told.size >= MOST_PORTS) return
      told.add(port)
      control.setPortPolicy(port, wants, false)
    },
    askMore: (state, wants) => {
      ask(state, wants)
      const port = serverPort(state)
      if (!told.has(port)) return
      const isLeaf = leaves.has(port)
      control.setPortPolicy(port, isLeaf ? { ...wants, countOnly: true } : wants, isLeaf)
    },
    countOnly: ({ connection }) => control.setConnectionPolicy(connection.id, COUNT_ONLY),
    countOnlyAtPort: ({ connection, wants }) => {
      const { port } = connection.local
      if (port === 0 || leaves.has(port)) return
      leaves.add(port)
      control.setPortPolicy(port, { ...(wants ?? COUNT_ONLY), countOnly: true }, true)
    },
  }
}

function serverPort({ connection: { role, remote, local } }: ConnectionState): number {
  return (role === 'client' ? remote : local).port
}
