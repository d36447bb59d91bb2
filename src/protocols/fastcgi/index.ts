import type { CopyPolicy, ProtocolModule } from '../protocol.js'
import { detectFastCgi } from './detect.js'
import { FastCgiConnection } from './pair.js'

/** The variables of a usual request have 500 to 1,500 bytes. */
const WANTS: CopyPolicy = { clientHead: 4096, serverHead: 512, clientTail: 16, serverTail: 16, countOnly: false }

/** FastCGI 1.0, as web servers speak it to applications. */
export const fastcgi: ProtocolModule = {
  name: 'fastcgi',
  leaf: false,
  wants: WANTS,
  detect: detectFastCgi,
  open: options => new FastCgiConnection(options),
}
