import { ipv4Text, ipv6Text } from './address-text.js'
import { Op } from './event-layout.js'
import { encodeTextRecord } from './event-reader.js'
import type { ProcessInfo } from './process-info.js'

/**
 * A packet capture knows no processes. One is made up for every server (address and port) and one for every client
 * (address), so that services have names and connections have ends.
 */
export interface PcapEndpoints {
  /**
   * The pid of a server's or (`port` 0) a client's process. `announce` gets a processInfo record when the process is
   * new, or when it turns out to listen.
   * @param listens whether it is certain that this is the listening end
   */
  pidOf(address: Uint8Array, port: number, listens: boolean, timeNs: number): number
}

interface Endpoint {
  readonly pid: number
  listens: boolean
}

export function createPcapEndpoints(announce: (record: Uint8Array) => void): PcapEndpoints {
  const endpoints = new Map<string, Endpoint>()
  return {
    pidOf: (address, port, listens, timeNs) => {
      const key = String.fromCharCode(port, ...address)
      const known = endpoints.get(key)
      if (known !== undefined && (known.listens || !listens)) return known.pid
      const endpoint = known ?? { pid: endpoints.size + 1, listens }
      endpoint.listens = listens
      endpoints.set(key, endpoint)
      const host = address.length === 4 ? ipv4Text(address, 0) : ipv6Text(address, 0)
      const info: ProcessInfo = {
        pid: endpoint.pid,
        parent: 0,
        startNs: 0,
        comm: port === 0 ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`,
        exe: '',
        commandLine: [],
        user: 0,
        cgroup: '',
        listens: listens && port !== 0 ? [port] : [],
      }
      announce(encodeTextRecord(Op.processInfo, BigInt(Math.round(timeNs)), endpoint.pid, info))
      return endpoint.pid
    },
  }
}
