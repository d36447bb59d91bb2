import { AF_INET, ipv4Text, ipv6Text } from './address-text.js'
import { type Connection, type Endpoint, NO_ENDPOINT, setKey } from './connection.js'
import { CONNECTION, EventFlag, WireRole, WireTransport } from './event-layout.js'
import type { EventReader } from './event-reader.js'
import type { ObservedProcess } from './processes.js'

/** The connection that a connect or connection record describes. */
export function decodeConnection(record: EventReader, process: ObservedProcess): Connection {
  const transport = record.u8(CONNECTION.transport)
  const isUnix = transport === WireTransport.unix
  const isUdp = transport === WireTransport.udp
  const role = record.u8(CONNECTION.role)
  const localIdentity = isUnix ? record.u64(CONNECTION.localIdentity) : 0
  const remoteIdentity = isUnix ? record.u64(CONNECTION.remoteIdentity) : 0
  const connection: Connection = {
    id: record.connection,
    transport: isUnix ? 'unix' : isUdp ? 'udp' : 'tcp',
    local: isUnix ? UNIX : endpoint(record, CONNECTION.localAddress, CONNECTION.localPort),
    remote: isUnix ? UNIX : remoteEndpoint(record, isUdp),
    role: role === WireRole.opened ? 'client' : role === WireRole.accepted ? 'server' : 'unknown',
    roleGuessed: (record.flags & EventFlag.roleGuessed) !== 0,
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
  else if (!isUdp) setKey(connection, record.u32(CONNECTION.localIsn), record.u32(CONNECTION.remoteIsn))
  return connection
}

const UNIX: Endpoint = { address: 'unix', port: 0 }

/** Of a datagram socket without a peer there is none. */
function remoteEndpoint(record: EventReader, isUdp: boolean): Endpoint {
  if (isUdp && record.u16(CONNECTION.remotePort) === 0) return NO_ENDPOINT
  return endpoint(record, CONNECTION.remoteAddress, CONNECTION.remotePort)
}

function endpoint(record: EventReader, address: number, port: number): Endpoint {
  const at = record.offset + address
  const text = record.u16(CONNECTION.family) === AF_INET ? ipv4Text(record.bytes, at) : ipv6Text(record.bytes, at)
  return { address: text, port: record.u16(port) }
}
