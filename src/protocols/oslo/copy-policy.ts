import type { CopyPolicy } from '../protocol.js'

/**
 * What to copy of a connection once an envelope has been seen on it: oslo.messaging writes its identifiers last, up to
 * 2.3 KiB before the end in the messages of Nova, which have up to 14 KB and more; a longer service catalog in the context
 * moves them further from it.
 */
export const ENVELOPE_POLICY: CopyPolicy = {
  clientHead: 4096,
  clientTail: 4096,
  serverHead: 4096,
  serverTail: 4096,
  countOnly: false,
}
