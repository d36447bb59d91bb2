import { type Connection, type Endpoint, setKey } from './connection.js'
import { CONNECTION, EventFlag, WireRole, WireTransport } from './event-layout.js'
import type { EventReader } from './event-reader.js'
import type { ObservedProcess } from './processes.js'

const AF_INET = 2

/** The connection that a connect or connection record describes. */
export function decodeConnection(record: EventReader, process: ObservedProcess): Connection {
  const isUnix = record.u8(CONNECTION.transport) === WireTransport.unix
  const role = record.u8(CONNECTION.role)
  const localIdentity = isUnix ? record.u64(CONNECTION.localIdentity) : 0
  const remoteIdentity = isUnix ? record.u64(CONNECTION.remoteIdentity) : 0
  const connection: Connection = {
    id: record.connection,
    transport: isUnix ? 'unix' : 'tcp',
    local: isUnix ? UNIX : endpoint(record, CONNECTION.localAddress, CONNECTION.localPort),
    remote: isUnix ? UNIX : endpoint(record, CONNECTION.remoteAddress, CONNECTION.remotePort),
    role: role === WireRole.opened ? 'client' : role === WireRole.accepted ? 'server' : 'unknown',
    keyLow: 0,
    keyHigh: 0,
    ownsLow: false,
    localIdentity,
    remoteIdentity,
    midlife: (record.flags & EventFlag.midlife) !== 0,
    farEnd: 'undecided',
    process,
  }
  if (isUnix) setKey(connection, localIdentity, remoteIdentity)
  else setKey(connection, record.u32(CONNECTION.localIsn), record.u32(CONNECTION.remoteIsn))
  return connection
}

const UNIX: Endpoint = { address: 'unix', port: 0 }

function endpoint(record: EventReader, address: number, port: number): Endpoint {
  const text = record.u16(CONNECTION.family) === AF_INET ? ipv4(record, address) : ipv6(record, address)
  return { address: text, port: record.u16(port) }
}

function ipv4(record: EventReader, at: number): string {
  return `${record.u8(at)}.${record.u8(at + 1)}.${record.u8(at + 2)}.${record.u8(at + 3)}`
}

/** RFC 5952 text; IPv4-mapped addresses as IPv4, so that both ends of a connection name themselves alike. */
function ipv6(record: EventReader, at: number): string {
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push((record.u8(at + i) << 8) | record.u8(at + i + 1))
  if (groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff) return ipv4(record, at + 12)
  let bestStart = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && groups[i + length] === 0) length++
    if (length > bestLength) {
      bestStart = i
      bestLength = length
    }
  }
  const hex = (part: number[]): string => part.map(group => group.toString(16)).join(':')
  if (bestStart < 0) return hex(groups)
  return `${hex(groups.slice(0, bestStart))}::${hex(groups.slice(bestStart + bestLength))}`
}
