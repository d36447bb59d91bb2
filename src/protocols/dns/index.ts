import type { CopyPolicy, ProtocolModule } from '../protocol.js'
import { detectDatagram, detectDns } from './detect.js'
import { DnsConnection, DnsSocket } from './pair.js'

/** A question is at most 271 bytes; of an answer the header and the question are read. */
const WANTS: CopyPolicy = { clientHead: 288, serverHead: 288, clientTail: 0, serverTail: 0, countOnly: false }

/** DNS over UDP and TCP (RFC 1035). A resolver asks others for its clients: not a leaf. */
export const dns: ProtocolModule = {
  name: 'dns',
  leaf: false,
  wants: WANTS,
  detect: detectDns,
  detectDatagram,
  open: options => (options.datagrams === true ? new DnsSocket(options) : new DnsConnection(options)),
}
