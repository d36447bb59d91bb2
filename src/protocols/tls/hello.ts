import { latin1 } from '../latin1.js'
import { HandshakeType } from './records.js'

/** What a hello says in the clear; undefined: not said, or not seen. */
export interface Hello {
  /** SNI (RFC 6066, 3), of the client's hello. */
  readonly serverName: string | undefined
  /** ALPN (RFC 7301): those that the client offers, or the one that the server takes. */
  readonly protocols: readonly string[]
  /** '1.2', '1.3'…: what the server takes, or the highest that the client offers. */
  readonly version: string | undefined
  /** The message was not seen to its end. */
  readonly cut: boolean
}

const Extension = { serverName: 0, alpn: 16, supportedVersions: 43 } as const
/** Version, random. */
const FIXED_PART = 2 + 32
const LONGEST_NAME = 255
const MOST_PROTOCOLS = 16
const NAME = /^[\x21-\x7e]+$/

/** Bytes of one hello, read as far as they go: nothing beyond `end` is ever looked at. */
class HelloBytes {
  readonly bytes: Uint8Array
  at: number
  readonly end: number

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  /** A length of `size` bytes, or -1 behind the end. */
  uint(size: number): number {
    if (this.at + size > this.end) {
      this.at = this.end
      return -1
    }
    let value = 0
    for (let i = 0; i < size; i++) value = (value << 8) | this.bytes[this.at++]!
    return value
  }

  /** Passes a vector with a length of `size` bytes; false if its end is not here. */
  passVector(size: number): boolean {
    const length = this.uint(size)
    if (length < 0 || this.at + length > this.end) {
      this.at = this.end
      return false
    }
    this.at += length
    return true
  }
}

/**
 * Reads the hello at bytes[start, end), from its handshake type on (RFC 8446, 4.1.2 and 4.1.3). `complete` tells whether
 * the whole message is there.
 */
export function readHello(bytes: Uint8Array, start: number, end: number, complete: boolean): Hello {
  const isClient = bytes[start] === HandshakeType.clientHello
  const input = new HelloBytes(bytes, start + 4, end)
  const legacy = input.uint(2)
  input.at = Math.min(end, start + 4 + FIXED_PART)
  let serverName: string | undefined
  let protocols: readonly string[] = []
  let version = legacy > 0 ? legacy : undefined
  let cut = !complete
  let seen = input.passVector(1)
  if (isClient) seen = seen && input.passVector(2) && input.passVector(1)
  else input.at = Math.min(end, input.at + 3)
  if (seen && input.uint(2) > 0) {
    while (input.at < end) {
      const type = input.uint(2)
      const length = input.uint(2)
      if (length < 0 || input.at + length > end) {
        cut = true
        break
      }
      const next = input.at + length
      const body = new HelloBytes(bytes, input.at, next)
      if (type === Extension.serverName && isClient) serverName = readServerName(body)
      else if (type === Extension.alpn) protocols = readProtocols(body)
      else if (type === Extension.supportedVersions) version = readVersion(body, isClient) ?? version
      input.at = next
    }
  } else if (!seen) {
    cut = true
  }
  return { serverName, protocols, version: version === undefined ? undefined : versionName(version), cut }
}

function readServerName(body: HelloBytes): string | undefined {
  if (body.uint(2) <= 0 || body.uint(1) !== 0) return undefined
  return text(body, body.uint(2))
}

function readProtocols(body: HelloBytes): readonly string[] {
  const protocols: string[] = []
  if (body.uint(2) <= 0) return protocols
  while (body.at < body.end && protocols.length < MOST_PROTOCOLS) {
    const length = body.uint(1)
    const name = text(body, length)
    if (name === undefined) break
    // RFC 8701: GREASE is two bytes that are no text, which `text` refuses.
    protocols.push(name)
    body.at += length
  }
  return protocols
}

/** The client lists versions, GREASE among them (RFC 8701); the server names one. */
function readVersion(body: HelloBytes, isClient: boolean): number | undefined {
  if (!isClient) {
    const version = body.uint(2)
    return version < 0 ? undefined : version
  }
  let highest: number | undefined
  body.uint(1)
  while (body.at + 2 <= body.end) {
    const version = body.uint(2)
    if (version >> 8 === 3 && version > (highest ?? 0)) highest = version
  }
  return highest
}

function text(body: HelloBytes, length: number): string | undefined {
  if (length <= 0 || length > LONGEST_NAME || body.at + length > body.end) return undefined
  const value = latin1(body.bytes, body.at, body.at + length)
  return NAME.test(value) ? value : undefined
}

/** '1.0' to '1.3'; undefined for anything else. */
function versionName(version: number): string | undefined {
  return version >> 8 === 3 && (version & 0xff) >= 1 && (version & 0xff) <= 4 ? `1.${(version & 0xff) - 1}` : undefined
}
