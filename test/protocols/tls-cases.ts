import { tls } from '../../src/protocols/tls/index.js'
import { type CodecCase, client, server } from './harness.js'

export const module = tls

const byte = (...values: number[]): string => String.fromCharCode(...values)
/** A vector with a length of `size` bytes. */
const vector = (size: number, body: string): string =>
  byte(...[body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff].slice(3 - size)) + body
const record = (type: number, body: string, minor = 3): string => byte(type, 3, minor) + vector(2, body)
const extension = (type: number, body: string): string => byte(type >> 8, type & 0xff) + vector(2, body)
const RANDOM = 'r'.repeat(32)
const serverName = (name: string): string => extension(0, vector(2, byte(0) + vector(2, name)))
const alpn = (...names: string[]): string => extension(16, vector(2, names.map(name => vector(1, name)).join('')))

export const clientHello = (extensions: string): string =>
  record(
    22,
    byte(1) +
      vector(
        3,
        byte(3, 3) +
          RANDOM +
          vector(1, 's'.repeat(32)) +
          vector(2, byte(0x13, 1, 0xc0, 0x2f)) +
          vector(1, '\0') +
          vector(2, extensions),
      ),
    1,
  )
export const serverHello = (extensions: string): string =>
  record(22, byte(2) + vector(3, byte(3, 3) + RANDOM + vector(1, '') + byte(0xc0, 0x2f, 0) + vector(2, extensions)))
const secret = (size: number): string => record(23, 'x'.repeat(size))
const VERSIONS = extension(43, vector(1, byte(0x7a, 0x7a, 3, 4, 3, 3)))
const CHANGE = record(20, byte(1))

export const cases: CodecCase[] = [
  {
    name: 'TLS 1.3: the name, and what the client offers',
    conversation: [
      client(clientHello(serverName('shop.example') + alpn('h2', 'http/1.1') + VERSIONS)),
      server(serverHello(extension(43, byte(3, 4))) + CHANGE + secret(900)),
      client(CHANGE + secret(50) + secret(200)),
      server(secret(4000)),
    ],
    expected: [
      {
        name: 'TLS handshake',
        housekeeping: false,
        abandoned: false,
        truncated: false,
        attributes: {
          'server.address': 'shop.example',
          'ghostspan.tls.offered_protocols': 'h2,http/1.1',
          'tls.protocol.version': '1.3',
        },
        without: ['tls.next_protocol'],
        begin: 0,
        responseBegin: 0,
      },
    ],
  },
  {
    name: 'TLS 1.2: the protocol that the server takes',
    conversation: [
      client(clientHello(alpn('h2', 'http/1.1'))),
      server(serverHello(alpn('http/1.1')) + record(22, byte(11) + vector(3, 'certificate'))),
      client(record(22, byte(16) + vector(3, 'key')) + CHANGE + secret(40)),
      server(CHANGE + secret(40)),
    ],
    expected: [
      {
        housekeeping: false,
        abandoned: false,
        attributes: { 'tls.next_protocol': 'http/1.1', 'tls.protocol.version': '1.2' },
        without: ['server.address'],
      },
    ],
  },
  {
    name: 'a handshake that the server refuses',
    conversation: [client(clientHello(serverName('shop.example'))), server(record(21, byte(2, 40)), true)],
    expected: [{ housekeeping: false, abandoned: true, attributes: { 'server.address': 'shop.example' } }],
  },
  {
    name: 'a connection joined in its life',
    joined: true,
    conversation: [client(secret(100)), server(secret(3000) + secret(20)), client(secret(10))],
    expected: [],
  },
]
