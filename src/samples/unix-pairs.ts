import { type Connection, setKey } from '../capture/connection.js'
import type { ConnectionState } from './connection-state.js'

/**
 * The two ends of Unix connections, found by their sockets' inodes. One end may never learn the other's: a client
 * writes before its peer is accepted, and by the time it reads the answer the peer may be gone. What one end knows
 * holds for both.
 */
export interface UnixPairs {
  /** A connection was told, for the first time or again. Returns the states whose key became known by that. */
  told(state: ConnectionState): ConnectionState[]
  forget(state: ConnectionState): void
}

export function createUnixPairs(): UnixPairs {
  const byLocal = new Map<number, ConnectionState>()
  const byRemote = new Map<number, ConnectionState>()
  const remember = (state: ConnectionState): void => {
    const { localIdentity, remoteIdentity } = state.connection
    byLocal.set(localIdentity, state)
    if (remoteIdentity !== 0) byRemote.set(remoteIdentity, state)
  }
  return {
    told: state => {
      remember(state)
      const { connection } = state
      const other = byLocal.get(connection.remoteIdentity) ?? byRemote.get(connection.localIdentity)
      if (other === undefined) return []
      return [learn(state, other.connection), learn(other, connection)].filter(each => each !== undefined)
    },
    forget: state => {
      const { localIdentity, remoteIdentity } = state.connection
      if (byLocal.get(localIdentity) === state) byLocal.delete(localIdentity)
      if (byRemote.get(remoteIdentity) === state) byRemote.delete(remoteIdentity)
    },
  }
}

function learn(state: ConnectionState, peer: Connection): ConnectionState | undefined {
  const { connection } = state
  if (connection.remoteIdentity !== 0) return undefined
  connection.remoteIdentity = peer.localIdentity
  setKey(connection, connection.localIdentity, peer.localIdentity)
  return state
}
