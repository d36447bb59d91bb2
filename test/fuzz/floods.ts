import { deflateSync, gzipSync } from 'node:zlib'
import { amqp } from '../../src/protocols/amqp/index.js'
import { dns } from '../../src/protocols/dns/index.js'
import { fastcgi } from '../../src/protocols/fastcgi/index.js'
import { http } from '../../src/protocols/http/index.js'
import { http2 } from '../../src/protocols/http2/index.js'
import { kafka } from '../../src/protocols/kafka/index.js'
import { memcached } from '../../src/protocols/memcached/index.js'
import { memcachedBinary } from '../../src/protocols/memcached-binary/index.js'
import { mysql } from '../../src/protocols/mysql/index.js'
import { mysqlCompressed } from '../../src/protocols/mysql-compressed/index.js'
import { postgresql } from '../../src/protocols/postgresql/index.js'
import type { ProtocolModule, Sender } from '../../src/protocols/protocol.js'
import { redis } from '../../src/protocols/redis/index.js'
import { tls } from '../../src/protocols/tls/index.js'
import { uwsgi } from '../../src/protocols/uwsgi/index.js'
import {
  frame as amqpFrame,
  int as amqpInt,
  join,
  method,
  protocolHeader,
  publishMethod,
  short,
} from '../protocols/amqp-frames.js'
import { begin as beginRequest, record as fastCgiRecord, uwsgiPacket, VARIABLES } from '../protocols/cgi-packets.js'
import type { Call } from '../protocols/conversation.js'
import { message as dnsMessage, framed } from '../protocols/dns-messages.js'
import {
  added,
  data,
  frame,
  headers,
  indexed,
  known,
  PREFACE,
  ping,
  reset,
  settings,
  tableSize,
} from '../protocols/http2-frames.js'
import { batch, int, oldMessage, request, text } from '../protocols/kafka-messages.js'
import { int as littleEndian, packet } from '../protocols/mysql-packets.js'
import { bind, message, parse, query, startup, sync } from '../protocols/postgresql-messages.js'

/** Bytes without end or measure, as many as are asked for: what a hostile peer sends to cost time and memory. */
export interface Flood {
  readonly module: ProtocolModule
  readonly name: string
  readonly sender: Sender
  /** What is said once, in front. */
  readonly opening: Uint8Array
  /** What comes again and again; its number counts from 0. */
  readonly piece: (index: number) => Uint8Array
}

const latin1 = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'))
const NOTHING = new Uint8Array(0)
const CALL = 1024

/** The flood's bytes, about `size` of them, in calls of a kibibyte. */
export function callsOf({ opening, piece, sender }: Flood, size: number): Call[] {
  const parts = [opening]
  for (let index = 0, length = opening.length; length < size; index++) {
    const next = piece(index)
    parts.push(next)
    length += next.length
  }
  const bytes = new Uint8Array(Buffer.concat(parts))
  const calls: Call[] = []
  for (let at = 0; at < bytes.length; at += CALL) calls.push({ sender, bytes: bytes.subarray(at, at + CALL) })
  return calls
}

function flood(module: ProtocolModule, name: string, opening: Uint8Array | string, piece: Flood['piece'] | string) {
  const again = typeof piece === 'string' ? latin1(piece) : undefined
  return (sender: Sender): Flood => ({
    module,
    name: `${module.name}: ${name}`,
    sender,
    opening: typeof opening === 'string' ? latin1(opening) : opening,
    piece: again === undefined ? (piece as Flood['piece']) : () => again,
  })
}

const GET = 'GET / HTTP/1.1\r\n'
const OK = 'HTTP/1.1 200 OK\r\n'
const REQUEST_BLOCK = known(':method', 'GET') + known(':scheme', 'http') + known(':path', '/')
const BOMB = gzipSync(Buffer.alloc(4_000_000))
const SMALL_BOMB = gzipSync(Buffer.alloc(250_000))
const PACKET_BOMB = deflateSync(Buffer.concat([packet(0, 3, 'SELECT 1'), Buffer.alloc(250_000)]))
/** A message set in a message set in a message set. */
const NESTED_SETS = Array.from({ length: 8 }).reduce<Buffer>(
  inner => oldMessage(0, gzipSync(inner), 1),
  oldMessage(0, 'a'),
)

function produce(index: number, records: Uint8Array, version = 3): Uint8Array {
  return request(
    { key: 0, version, correlationId: index },
    ...(version >= 3 ? [text(null)] : []),
    int(1, 2),
    int(1000, 4),
    int(1, 4),
    text('t'),
    int(1, 4),
    int(0, 4),
    int(records.length, 4),
    records,
  )
}

/** A table in a table in a table. */
const nestedTables = (depth: number): Uint8Array => {
  let inner: Buffer = join(amqpInt(0, 4))
  for (let level = 0; level < depth; level++) {
    const entry = join(short('a'), 'F', inner)
    inner = join(amqpInt(entry.length, 4), entry)
  }
  return inner
}

const NESTED_TABLES = method(1, 50, 10, amqpInt(0, 2), short('q'), [0], nestedTables(120))

const binary = (opcode: number, key: string, opaque: number): Uint8Array => {
  const bytes = Buffer.alloc(24 + key.length)
  bytes[0] = 0x80
  bytes[1] = opcode
  bytes.writeUInt16BE(key.length, 2)
  bytes.writeUInt32BE(key.length, 8)
  bytes.writeUInt32BE(opaque, 12)
  bytes.write(key, 24)
  return bytes
}

const FROM_CLIENT = [
  flood(http, 'a head that never ends', GET, 'X-A: b\r\n'),
  flood(http, 'a header that never ends', `${GET}X-A: `, 'b'),
  flood(http, 'a folded header that never ends', `${GET}X-A: b\r\n`, ' c\r\n'),
  flood(http, 'a target that never ends', 'GET /', 'a/'),
  flood(http, 'parameters without end', 'GET /?', 'a=b&'),
  flood(http, 'lengths without end', GET, 'Content-Length: 1\r\n'),
  flood(http, 'codings without end', GET, 'Transfer-Encoding: chunked\r\n'),
  flood(http, 'chunks of one byte', `${GET}Transfer-Encoding: chunked\r\n\r\n`, '1\r\na\r\n'),
  flood(http, 'a chunk extension that never ends', `${GET}Transfer-Encoding: chunked\r\n\r\n1;`, 'a'),
  flood(http, 'trailers without end', `${GET}Transfer-Encoding: chunked\r\n\r\n0\r\n`, 'X-A: b\r\n'),
  flood(http, 'requests that nobody answers', '', `${GET}\r\n`),
  flood(http, 'empty lines', '', '\r\n'),
  flood(http2, 'CONTINUATION without end', PREFACE + settings() + frame(1, 0, 1, REQUEST_BLOCK), () =>
    latin1(frame(9, 0, 1, known(':method', 'GET'))),
  ),
  flood(http2, 'a long field, named again and again', PREFACE + settings(), index =>
    latin1(headers(2 * index + 1, REQUEST_BLOCK + added('cookie', 'a'.repeat(3000)) + indexed(62).repeat(3000))),
  ),
  flood(http2, 'table sizes', PREFACE + settings(), index =>
    latin1(headers(2 * index + 1, (tableSize(0) + tableSize(4096)).repeat(50) + REQUEST_BLOCK)),
  ),
  flood(http2, 'streams opened and reset', PREFACE + settings(), index =>
    latin1(headers(2 * index + 1, REQUEST_BLOCK) + reset(2 * index + 1, 8)),
  ),
  flood(http2, 'streams opened', PREFACE + settings(), index => latin1(headers(2 * index + 1, REQUEST_BLOCK))),
  flood(http2, 'pings', PREFACE + settings(), ping),
  flood(http2, 'empty data', PREFACE + settings() + headers(1, REQUEST_BLOCK), data(1, '')),
  flood(redis, 'arrays in arrays', '', '*1\r\n'),
  flood(redis, 'an array of two thousand million', '*2147483647\r\n', '$1\r\na\r\n'),
  flood(redis, 'an array whose lengths are long', '*3\r\n$', '0'),
  flood(redis, 'an inline command that never ends', 'GET ', 'a '),
  flood(redis, 'commands that nobody answers', '', '*1\r\n$4\r\nPING\r\n'),
  flood(memcached, 'a get of many keys', 'get', ' key'),
  flood(memcached, 'a line that never ends', 'get ', 'k'),
  flood(memcached, 'sets that nobody answers', '', 'set k 0 0 1 noreply\r\na\r\n'),
  flood(memcached, 'quiet metas', '', 'mg k q v\r\n'),
  flood(memcachedBinary, 'quiet gets', NOTHING, index => binary(9, 'k', index)),
  flood(mysql, 'brackets', NOTHING, () => packet(0, 3, `SELECT ${'('.repeat(900)}`)),
  flood(mysql, 'a statement of sixteen mebibytes', join([0xff, 0xff, 0xff, 0, 3], 'SELECT '), '('),
  flood(mysql, 'comments in comments', NOTHING, () => packet(0, 3, `SELECT ${'/*'.repeat(450)}`)),
  flood(mysql, 'a list that never ends', NOTHING, () => packet(0, 3, `SELECT 1 IN (${'1,'.repeat(450)}`)),
  flood(mysql, 'statements that are prepared and never closed', NOTHING, () => packet(0, 0x16, 'SELECT ?')),
  flood(mysql, 'attributes without number', NOTHING, () =>
    packet(0, 3, 0xfc, littleEndian(65_535, 2), 1, '\0'.repeat(900)),
  ),
  flood(mysqlCompressed, 'bombs', NOTHING, () =>
    join(littleEndian(PACKET_BOMB.length, 3), [0], littleEndian(250_013, 3), PACKET_BOMB),
  ),
  flood(postgresql, 'comments in comments', startup(), () => query(`SELECT ${'/*'.repeat(450)}`)),
  flood(postgresql, 'dollars', startup(), () => query(`SELECT ${'$a$b'.repeat(230)}`)),
  flood(postgresql, 'statements that are prepared and never closed', startup(), index =>
    parse('SELECT $1', `s${index}`),
  ),
  flood(postgresql, 'parameters', startup(), () => bind(Array.from({ length: 150 }, () => 'a'))),
  flood(postgresql, 'syncs that nobody answers', startup(), () => sync),
  flood(postgresql, 'a message of two gibibytes', join(startup(), 'Q', [0x7f, 0xff, 0xff, 0xff]), 'a'),
  flood(postgresql, 'a COPY that never ends', join(startup(), query('COPY t FROM STDIN')), () => message('d', 'a')),
  flood(amqp, 'tables in tables', protocolHeader, () => NESTED_TABLES),
  flood(amqp, 'channels', protocolHeader, index => method(1 + (index % 65_535), 20, 10, short(''))),
  flood(amqp, 'messages of one byte each', protocolHeader, () =>
    join(
      publishMethod(1, 'e', 'k'),
      amqpFrame(2, 1, amqpInt(60, 2), amqpInt(0, 2), amqpInt(1, 8), amqpInt(0, 2)),
      amqpFrame(3, 1, 'a'),
    ),
  ),
  flood(
    amqp,
    'a body in frames of one byte',
    join(
      protocolHeader,
      publishMethod(1, 'e', 'k'),
      amqpFrame(2, 1, amqpInt(60, 2), amqpInt(0, 2), amqpInt(2 ** 40, 8), amqpInt(0, 2)),
    ),
    () => amqpFrame(3, 1, 'a'),
  ),
  flood(kafka, 'gzip bombs', NOTHING, index => produce(index, batch([], { attributes: 1, packed: SMALL_BOMB }))),
  flood(kafka, 'a gzip bomb of four megabytes', NOTHING, index =>
    produce(index, batch([], { attributes: 1, packed: BOMB })),
  ),
  flood(kafka, 'a snappy block that claims two gibibytes', NOTHING, index =>
    produce(
      index,
      batch([], { attributes: 2, packed: Uint8Array.from([0xff, 0xff, 0xff, 0xff, 7, ...new Array(200).fill(0xfe)]) }),
    ),
  ),
  flood(kafka, 'sets in sets in sets', NOTHING, index => produce(index, NESTED_SETS, 2)),
  flood(kafka, 'requests that nobody answers', NOTHING, index =>
    request({ key: 3, version: 1, correlationId: index }, int(0, 4)),
  ),
  flood(dns, 'questions that nobody answers', NOTHING, index =>
    framed(dnsMessage({ id: index & 0xffff, name: 'a.example', type: 1 })),
  ),
  flood(tls, 'a ClientHello in records of one byte', NOTHING, () => Uint8Array.from([22, 3, 1, 0, 1, 1])),
  flood(fastcgi, 'parameters without end', beginRequest(), () =>
    fastCgiRecord(4, `${String.fromCharCode(1, 1)}ab`.repeat(100)),
  ),
  flood(fastcgi, 'requests that nobody answers', NOTHING, index => beginRequest(1 + (index % 65_535))),
  flood(uwsgi, 'a packet as long as can be', NOTHING, () =>
    uwsgiPacket({ ...VARIABLES, HTTP_COOKIE: 'a'.repeat(60_000) }),
  ),
].map(make => make('client'))

const FROM_SERVER = [
  flood(http, 'an answer whose head never ends', OK, 'X-A: b\r\n'),
  flood(http, 'interim answers without end', '', 'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n'),
  flood(redis, 'answers in answers', '', '*1\r\n'),
  flood(redis, 'attributes in attributes', '', '|1\r\n+a\r\n'),
  flood(redis, 'pushes', '', '>2\r\n+a\r\n+b\r\n'),
  flood(mysql, 'rows without end', NOTHING, index => packet(index & 0xff, 1, 'a')),
  flood(postgresql, 'notices without end', NOTHING, () => message('N', 'SNOTICE\0', 0)),
  flood(memcached, 'statistics without end', '', 'STAT a b\r\n'),
].map(make => make('server'))

export const floods: readonly Flood[] = [...FROM_CLIENT, ...FROM_SERVER]
