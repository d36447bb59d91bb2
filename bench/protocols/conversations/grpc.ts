import { promisify } from 'node:util'
import grpc from '@grpc/grpc-js'
import { redactPath } from '../../../src/protocols/path-segments.js'
import type { Conversation } from '../conversation.js'
import { readOf } from './exchange-text.js'

const same = (bytes: Buffer): Buffer => bytes
const CODE = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same }
const AT_ONCE = 8

function method(name: string, responseStream = false) {
  return { path: `/ghost.Cart/${name}`, requestStream: false, responseStream, ...CODE }
}

const SERVICE = { get: method('Get'), fail: method('Fail'), watch: method('Watch', true) }
const HANDLERS: grpc.UntypedServiceImplementation = {
  get: (call: { request: Buffer }, done: grpc.sendUnaryData<Buffer>) => done(null, call.request),
  fail: (_: unknown, done: grpc.sendUnaryData<Buffer>) => done({ code: grpc.status.NOT_FOUND, details: 'no' }, null),
  watch: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
    for (let n = 0; n < 3; n++) call.write(Buffer.alloc(200, n))
    call.end()
  },
}

/** Calls the method and says `service/method STATUS`. */
function call(client: grpc.Client, name: string, body: Buffer): Promise<string> {
  const path = `/ghost.Cart/${name}`
  const said = (code: grpc.status): string => `ghost.Cart/${name} ${grpc.status[code]}`
  return new Promise(resolve => {
    if (name !== 'Watch') {
      client.makeUnaryRequest(path, same, same, body, error => resolve(said(error?.code ?? grpc.status.OK)))
      return
    }
    const stream = client.makeServerStreamRequest(path, same, same, body)
    stream.on('status', ({ code }: grpc.StatusObject) => resolve(said(code)))
    stream.on('error', () => {})
    stream.resume()
  })
}

const NAMES = ['Get', 'Get', 'Get', 'Fail', 'Watch', 'Missing', 'Get']

/** A server and a client of @grpc/grpc-js: unary calls and streams, some of which fail. */
export const grpcCalls: Conversation = {
  name: 'grpc',
  goal: 10,
  isMeasured: false,
  needs: [],
  start: async () => {
    const server = new grpc.Server()
    server.addService(SERVICE, HANDLERS)
    const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', grpc.ServerCredentials.createInsecure())
    return {
      port,
      talk: async requests => {
        const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
        const lines: string[] = []
        for (let i = 0; i < requests; i += AT_ONCE) {
          const names = Array.from(
            { length: Math.min(AT_ONCE, requests - i) },
            (_, k) => NAMES[(i + k) % NAMES.length]!,
          )
          lines.push(...(await Promise.all(names.map((name, k) => call(client, name, Buffer.alloc((i + k) % 500))))))
        }
        client.close()
        return lines
      },
      stop: async () => server.forceShutdown(),
    }
  },
  tshark: {
    usualPort: 50_051,
    decodeAs: ports => ports.map(port => `tcp.port==${port},http2`),
    filter: () => 'http2.header.name',
    fields: ['http2.headers.path', 'http2.header.name', 'http2.header.value'],
    theirs: rows =>
      rows.flatMap(([paths = [], names = [], values = []]) => [
        ...paths.map(path => redactPath(path).slice(1)),
        ...names.flatMap((name, i) => (name === 'grpc-status' ? [grpc.status[Number(values[i])]!] : [])),
      ]),
    ours: read =>
      readOf(read, 'http2').flatMap(({ exchange: { attributes } }) => [
        String(attributes['rpc.method']),
        String(attributes['rpc.status_code']),
      ]),
  },
  seen: read =>
    readOf(read, 'http2').map(
      ({ exchange: { attributes } }) => `${attributes['rpc.method']} ${attributes['rpc.status_code']}`,
    ),
}
