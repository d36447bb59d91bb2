import { http2 } from '../../src/protocols/http2/index.js'
import { type CodecCase, client, server } from './harness.js'
import {
  added,
  data,
  frame,
  goAway,
  headers,
  indexed,
  known,
  literal,
  PREFACE,
  ping,
  reset,
  settings,
  settingsAck,
  tableSize,
  windowUpdate,
} from './http2-frames.js'

export const module = http2

const GET = known(':method', 'GET')
const POST = known(':method', 'POST')
const HTTP = known(':scheme', 'http')
const OK = known(':status', '200')
const get = (path: string): string => GET + HTTP + literal(':path', path) + literal(':authority', 'shop:8080')
const call = (path: string): string =>
  POST +
  HTTP +
  literal(':path', path) +
  literal(':authority', 'grpc.example') +
  literal('content-type', 'application/grpc')
const GRPC_OK = OK + literal('content-type', 'application/grpc')
const START = [client(PREFACE + settings([3, 100])), server(settings([3, 100]) + settingsAck), client(settingsAck)]
const message = (body: string): string => `\0\0\0\0${String.fromCharCode(body.length)}${body}`
const answered = { abandoned: false, truncated: false } as const

export const cases: CodecCase[] = [
  {
    name: 'a request without a body and its answer',
    conversation: [
      ...START,
      client(
        headers(
          1,
          GET +
            HTTP +
            added(':path', '/items/42?colour=red&token=abc') +
            added(':authority', 'shop:8080') +
            added('user-agent', 'nghttp2/1') +
            literal('authorization', 'Bearer s3cret') +
            literal('x-request-id', 'r-1'),
          { endStream: true },
        ),
      ),
      server(headers(1, OK + literal('set-cookie', 'sid=s3cret'))),
      server(data(1, 'hello', { endStream: true })),
    ],
    expected: [
      {
        ...answered,
        name: 'GET /items/42',
        initiator: 'client',
        shape: 'call',
        attributes: {
          'http.request.method': 'GET',
          'http.response.status_code': 200,
          'http.route': '/items/42',
          'url.path': '/items/42',
          'url.query': 'colour=REDACTED&token=REDACTED',
          'url.scheme': 'http',
          'user_agent.original': 'nghttp2/1',
          'network.protocol.version': '2',
          'server.address': 'shop',
          'server.port': 8080,
          'http.response.body.size': 5,
        },
        without: ['http.request.method_original', 'http.request.body.size', 'rpc.system.name'],
        contentKeys: [
          { type: 'x-request-id', value: 'r-1', scope: 'group' },
          { type: 'http-forward', value: '48f77dc6', scope: 'group' },
        ],
        clientError: undefined,
        serverError: undefined,
        requestBodyBytes: 0,
        responseBodyBytes: 5,
        begin: 48,
        responseBegin: 24,
      },
    ],
  },
  {
    name: 'fields of earlier blocks, referred to by their places',
    conversation: [
      ...START,
      client(headers(1, GET + HTTP + added(':path', '/a') + added(':authority', 'one'), { endStream: true })),
      server(headers(1, OK + added('server', 'x'), { endStream: true })),
      client(headers(3, GET + HTTP + indexed(63) + indexed(62), { endStream: true })),
      server(headers(3, added(':status', '503') + indexed(63), { endStream: true })),
      client(headers(5, GET + HTTP + added(':path', '/b') + indexed(63), { endStream: true })),
      server(headers(5, indexed(62), { endStream: true })),
    ],
    expected: [
      { ...answered, name: 'GET /a', attributes: { 'server.address': 'one', 'http.response.status_code': 200 } },
      {
        ...answered,
        name: 'GET /a',
        attributes: { 'server.address': 'one', 'http.response.status_code': 503 },
        clientError: '503',
        serverError: '503',
      },
      { ...answered, name: 'GET /b', attributes: { 'server.address': 'one', 'http.response.status_code': 503 } },
    ],
  },
  {
    name: 'bodies in pieces, padding, priority, and a block in CONTINUATION frames',
    conversation: [
      ...START,
      client(
        headers(1, POST + HTTP + literal(':path', '/upload') + literal('x-long', 'l'.repeat(60)), {
          padding: 7,
          priority: true,
          split: 25,
        }),
      ),
      client(data(1, 'abc', { padding: 4 }) + data(1, 'defg', { endStream: true, padding: 0 })),
      server(ping + headers(1, known(':status', '404'), { padding: 1 })),
      server(data(1, 'none', { padding: 200 }) + headers(1, literal('x-trailer', '1'), { endStream: true })),
    ],
    expected: [
      {
        ...answered,
        name: 'POST /upload',
        attributes: { 'http.request.body.size': 7, 'http.response.status_code': 404 },
        requestBodyBytes: 7,
        responseBodyBytes: 4,
        clientError: '404',
        serverError: undefined,
      },
    ],
  },
  {
    name: 'a unary gRPC call with its status in the trailers',
    conversation: [
      ...START,
      client(headers(1, call('/shop.Cart/GetCart')) + data(1, message('user'), { endStream: true })),
      server(windowUpdate(0, 9) + headers(1, GRPC_OK) + data(1, message('items'))),
      server(headers(1, literal('grpc-status', '0') + literal('grpc-message', ''), { endStream: true })),
    ],
    expected: [
      {
        ...answered,
        name: 'shop.Cart/GetCart',
        attributes: {
          'rpc.system.name': 'grpc',
          'rpc.method': 'shop.Cart/GetCart',
          'rpc.status_code': 'OK',
          'server.address': 'grpc.example',
        },
        without: ['http.request.method', 'http.route', 'url.path', 'server.port'],
        clientError: undefined,
        serverError: undefined,
        requestBodyBytes: 9,
        responseBodyBytes: 10,
      },
    ],
  },
  {
    name: "gRPC calls that fail: trailers only, a client's fault, a proxy's answer",
    conversation: [
      ...START,
      client(headers(1, call('/shop.Cart/Add')) + data(1, message('a'), { endStream: true })),
      server(headers(1, GRPC_OK + literal('grpc-status', '14'), { endStream: true })),
      client(headers(3, call('/shop.Cart/Add')) + data(3, message('a'), { endStream: true })),
      server(headers(3, GRPC_OK) + headers(3, literal('grpc-status', '5'), { endStream: true })),
      client(headers(5, call('/shop.Cart/Add')) + data(5, message('a'), { endStream: true })),
      server(headers(5, literal(':status', '502')) + data(5, 'bad gateway', { endStream: true })),
    ],
    expected: [
      {
        ...answered,
        attributes: { 'rpc.status_code': 'UNAVAILABLE' },
        clientError: 'UNAVAILABLE',
        serverError: 'UNAVAILABLE',
      },
      { ...answered, attributes: { 'rpc.status_code': 'NOT_FOUND' }, clientError: 'NOT_FOUND', serverError: undefined },
      { ...answered, without: ['rpc.status_code'], clientError: '502', serverError: '502' },
    ],
  },
  {
    name: 'streams that are open at once and end in another order',
    conversation: [
      ...START,
      client(headers(1, call('/log.Log/Follow')) + data(1, message('x'), { endStream: true })),
      client(headers(3, get('/slow'), { endStream: true }) + headers(5, get('/quick'), { endStream: true })),
      server(headers(1, GRPC_OK) + data(1, message('line 1'))),
      server(headers(5, OK, { endStream: true })),
      server(data(1, message('line 2'))),
      server(headers(3, OK) + data(3, 'ok', { endStream: true })),
      server(data(1, message('line 3')) + headers(1, literal('grpc-status', '0'), { endStream: true })),
    ],
    expected: [
      { ...answered, name: 'log.Log/Follow', responseBodyBytes: 33, attributes: { 'rpc.status_code': 'OK' } },
      { ...answered, name: 'GET /slow', responseBodyBytes: 2 },
      { ...answered, name: 'GET /quick', responseBodyBytes: 0 },
    ],
  },
  {
    name: 'streams that are reset, refused, or come too late',
    conversation: [
      ...START,
      client(headers(1, get('/cancelled'), { endStream: true })),
      client(reset(1, 8)),
      client(headers(3, get('/cut'), { endStream: true })),
      server(headers(3, OK) + data(3, 'part')),
      client(reset(3, 8)),
      server(data(3, 'late')),
      client(headers(5, get('/refused'), { endStream: true })),
      server(reset(5, 7)),
      client(headers(7, get('/served'), { endStream: true }) + headers(9, get('/late'), { endStream: true })),
      server(goAway(7, 0) + headers(7, OK, { endStream: true })),
    ],
    expected: [
      { name: 'GET /cancelled', abandoned: true, clientError: 'CANCEL', serverError: undefined },
      { ...answered, name: 'GET /cut', clientError: 'CANCEL', serverError: undefined, responseBodyBytes: 4 },
      { ...answered, name: 'GET /refused', clientError: 'REFUSED_STREAM', serverError: 'REFUSED_STREAM' },
      { ...answered, name: 'GET /served', clientError: undefined },
      { name: 'GET /late', abandoned: true, clientError: 'GOAWAY' },
    ],
  },
  {
    name: 'interim answers, pushed streams, frames of unknown types, an answer before the request is complete',
    conversation: [
      ...START,
      client(headers(1, POST + HTTP + literal(':path', '/a') + literal('content-length', '9'))),
      server(headers(1, literal(':status', '103') + literal('link', '</s.css>'))),
      server(frame(5, 4, 1, `\0\0\0\x02${get('/s.css')}`) + frame(0x2a, 0xff, 0, 'grease')),
      server(headers(1, literal(':status', '413'), { endStream: true })),
      client(data(1, 'too long.', { endStream: true })),
      server(headers(2, OK, { endStream: true })),
    ],
    expected: [
      { ...answered, name: 'POST /a', attributes: { 'http.response.status_code': 413 }, requestEnd: undefined },
    ],
  },
  {
    name: 'a connection joined in its life: what refers to the table that was not seen is unknown',
    joined: true,
    conversation: [
      client(headers(101, POST + HTTP + indexed(65) + indexed(64) + literal('grpc-timeout', '1S'))),
      client(data(101, message('x'), { endStream: true })),
      server(headers(101, OK + indexed(62))),
      server(data(101, message('y')) + headers(101, indexed(63), { endStream: true })),
      client(headers(103, GET + HTTP + added(':path', '/new') + literal(':authority', 'shop'), { endStream: true })),
      server(headers(103, OK, { endStream: true })),
      client(headers(105, GET + HTTP + indexed(62) + indexed(70), { endStream: true })),
      server(headers(105, indexed(90), { endStream: true })),
    ],
    expected: [
      {
        name: 'grpc',
        truncated: true,
        abandoned: false,
        attributes: { 'rpc.system.name': 'grpc' },
        without: ['rpc.method', 'rpc.status_code'],
        responseBodyBytes: 6,
      },
      { ...answered, name: 'GET /new', attributes: { 'server.address': 'shop' } },
      {
        name: 'GET /new',
        truncated: true,
        attributes: { 'url.path': '/new' },
        without: ['server.address', 'http.response.status_code'],
      },
    ],
  },
  {
    name: 'a table that is emptied is known again',
    joined: true,
    conversation: [
      client(
        headers(7, tableSize(0) + tableSize(4096) + get('/a') + added('x-a', '1') + indexed(62), { endStream: true }),
      ),
      server(headers(7, OK, { endStream: true })),
    ],
    expected: [{ ...answered, name: 'GET /a' }],
  },
]
