import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** TCP ports that processes listen on, from /proc. One instance serves one look round: tables are read once. */
export interface ListeningPorts {
  /** Ascending; empty when the process is gone or may not be looked into. */
  of(pid: number): readonly number[]
}

const LISTEN_STATE = '0A'

/** `port by socket inode` of the listening sockets in the text of /proc/net/tcp or tcp6. */
export function parseListeningSockets(text: string, into: Map<string, number>): void {
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    if (fields[3] !== LISTEN_STATE) continue
    const port = Number.parseInt(fields[1]?.split(':')[1] ?? '', 16)
    if (fields[9] !== undefined && port > 0) into.set(fields[9], port)
  }
}

export function createListeningPorts(procRoot = '/proc'): ListeningPorts {
  const byNamespace = new Map<string, Map<string, number>>()

  const tableOf = (pid: number): Map<string, number> => {
    const namespace = readlinkSync(`${procRoot}/${pid}/ns/net`)
    let table = byNamespace.get(namespace)
    if (table === undefined) {
      table = new Map()
      for (const name of ['tcp', 'tcp6']) {
        try {
          parseListeningSockets(readFileSync(`${procRoot}/${pid}/net/${name}`, 'latin1'), table)
        } catch {
          // No IPv6 in this kernel, or the process is gone.
        }
      }
      byNamespace.set(namespace, table)
    }
    return table
  }

  return {
    of(pid) {
      try {
        const table = tableOf(pid)
        if (table.size === 0) return []
        const ports = new Set<number>()
        const directory = `${procRoot}/${pid}/fd`
        for (const name of readdirSync(directory)) {
          const port = portOf(`${directory}/${name}`, table)
          if (port !== undefined) ports.add(port)
        }
        return [...ports].sort((a, b) => a - b)
      } catch {
        return []
      }
    },
  }
}

function portOf(descriptor: string, table: ReadonlyMap<string, number>): number | undefined {
  try {
    const target = readlinkSync(descriptor)
    return target.startsWith('socket:[') ? table.get(target.slice(8, -1)) : undefined
  } catch {
    return undefined
  }
}
