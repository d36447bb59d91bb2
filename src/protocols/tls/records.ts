/** Content types of records (RFC 8446, 5.1). */
export const ContentType = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const
export const HandshakeType = { clientHello: 1, serverHello: 2 } as const

export const RECORD_HEADER = 5
/** RFC 8446, 5.2, with what TLS 1.2 allowed beyond. */
const LONGEST_RECORD = 16_384 + 2048
const MAJOR_VERSION = 3
const LAST_MINOR_VERSION = 4

export const recordLength = (bytes: Uint8Array, at: number): number => (bytes[at + 3]! << 8) | bytes[at + 4]!

/** Whether bytes[at, end) begin like a record; what is beyond `end` is not looked at. */
export function isRecord(bytes: Uint8Array, at: number, end: number): boolean {
  const type = bytes[at]!
  if (type < ContentType.changeCipherSpec || type > ContentType.applicationData) return false
  if (at + 1 < end && bytes[at + 1] !== MAJOR_VERSION) return false
  if (at + 2 < end && bytes[at + 2]! > LAST_MINOR_VERSION) return false
  if (at + RECORD_HEADER > end) return true
  const length = recordLength(bytes, at)
  if (length === 0 || length > LONGEST_RECORD) return false
  if (type === ContentType.changeCipherSpec) return length === 1
  return type !== ContentType.alert || length >= 2
}
