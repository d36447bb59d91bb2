import { http } from '../../src/protocols/http/index.js'
import { type CodecCase, client, server } from './harness.js'

export const module = http

const lines = (...parts: string[]): string => parts.map(part => `${part}\r\n`).join('')
const get = (target = '/', ...headers: string[]): string =>
  lines(`GET ${target} HTTP/1.1`, 'Host: shop', ...headers, '')
const OK = lines('HTTP/1.1 200 OK', 'Content-Length: 2', '') + 'ok'
const answered = { abandoned: false, truncated: false } as const

export const cases: CodecCase[] = [
  {
    name: 'a request without a body and its answer',
    conversation: [
      client(get('/items/42?colour=red&token=abc', 'User-Agent: curl/8', 'Authorization: Bearer s3cret')),
      server(
        lines('HTTP/1.1 200 OK', 'Content-Type: text/plain', 'Set-Cookie: sid=s3cret', 'Content-Length: 5', '') +
          'hello',
      ),
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
          'user_agent.original': 'curl/8',
          'network.protocol.version': '1.1',
          'server.address': 'shop',
          'http.response.body.size': 5,
        },
        without: ['http.request.method_original', 'http.request.body.size', 'server.port'],
        clientError: undefined,
        serverError: undefined,
        requestBodyBytes: 0,
        responseBodyBytes: 5,
        begin: 0,
        requestEnd: 109,
        responseBegin: 0,
        end: 93,
      },
    ],
  },
  {
    name: 'a body by Content-Length in each direction, three times on one connection',
    conversation: [1, 2, 3].flatMap(n => [
      client(lines('POST /orders HTTP/1.1', 'host:shop:8080', `content-length:${n}`, '') + 'x'.repeat(n)),
      server(lines('HTTP/1.1 201 Created', `CONTENT-LENGTH:  ${n * 2} `, '') + 'y'.repeat(n * 2)),
    ]),
    expected: [1, 2, 3].map(n => ({
      ...answered,
      name: 'POST /orders',
      attributes: { 'http.request.body.size': n, 'server.address': 'shop', 'server.port': 8080 },
      requestBodyBytes: n,
      responseBodyBytes: n * 2,
    })),
  },
  {
    name: 'chunks with extensions and trailers',
    conversation: [
      client(lines('PUT /a HTTP/1.1', 'Host: shop', 'Transfer-Encoding: gzip', 'Transfer-Encoding: Chunked', '')),
      client('4;name="v"\r\nWiki\r\n'),
      client('00A\r\npedia in !\r\n0;last\r\nExpires: never\r\nX: y\r\n\r\n'),
      server(lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '')),
      server('1 \r\na\r\n'),
      server('0\r\n\r\n'),
      client(get('/b')),
      server(OK),
    ],
    expected: [
      { ...answered, name: 'PUT /a', requestBodyBytes: 14, responseBodyBytes: 1 },
      { ...answered, name: 'GET /b', responseBodyBytes: 2 },
    ],
  },
  {
    name: 'an answer that ends with the connection',
    conversation: [
      client('GET /old HTTP/1.0\r\n\r\n'),
      server('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nsome'),
      server(' text', true),
    ],
    expected: [
      {
        ...answered,
        name: 'GET /old',
        attributes: { 'network.protocol.version': '1.0' },
        responseBodyBytes: 9,
        end: 54,
        endsAtEof: true,
      },
    ],
  },
  {
    name: 'answers that have no body whatever their headers say',
    conversation: [
      client(lines('HEAD /big HTTP/1.1', 'Host: a', '')),
      server(lines('HTTP/1.1 200 OK', 'Content-Length: 99999', '')),
      client(get('/same')),
      server(lines('HTTP/1.1 304 Not Modified', 'Content-Length: 777', '')),
      client(lines('DELETE /it HTTP/1.1', 'Host: a', '')),
      server(lines('HTTP/1.1 204 No Content', '')),
      client(get('/last')),
      server(OK),
    ],
    expected: [
      { ...answered, name: 'HEAD /big', attributes: { 'http.response.status_code': 200 }, responseBodyBytes: 0 },
      { ...answered, name: 'GET /same', attributes: { 'http.response.status_code': 304 }, responseBodyBytes: 0 },
      { ...answered, name: 'DELETE /it', attributes: { 'http.response.status_code': 204 } },
      { ...answered, name: 'GET /last' },
    ],
  },
  {
    name: 'a body sent after 100 Continue, with early hints before the answer',
    conversation: [
      client(lines('POST /up HTTP/1.1', 'Host: a', 'Content-Length: 4', 'Expect: 100-continue', '')),
      server('HTTP/1.1 100 Continue\r\n\r\n'),
      client('GET '),
      server('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'),
      server(OK),
    ],
    expected: [{ ...answered, name: 'POST /up', requestBodyBytes: 4, responseBegin: 69, requestEnd: 75 }],
  },
  {
    name: 'a final answer instead of 100 Continue, and the body never sent',
    conversation: [
      client(lines('POST /up HTTP/1.1', 'Host: a', 'Content-Length: 4000', 'Expect: 100-continue', '')),
      server(lines('HTTP/1.1 417 Expectation Failed', 'Content-Length: 0', '')),
      client(get('/next')),
      server(OK),
    ],
    expected: [
      { ...answered, name: 'POST /up', clientError: '417', requestEnd: undefined, requestBodyBytes: undefined },
      { ...answered, name: 'GET /next', attributes: { 'http.response.status_code': 200 } },
    ],
  },
  {
    name: 'an answer before the request body is through',
    conversation: [
      client(`${lines('POST /up HTTP/1.1', 'Host: a', 'Content-Length: 12', '')}first`),
      server(lines('HTTP/1.1 413 Too Large', 'Content-Length: 0', '')),
      client(' second'),
      client(get('/next')),
      server(OK),
    ],
    expected: [
      { ...answered, name: 'POST /up', clientError: '413', requestEnd: undefined },
      { ...answered, name: 'GET /next' },
    ],
  },
  {
    name: 'pipelined requests are answered in order',
    conversation: [
      client(get('/1') + get('/2') + get('/3')),
      server(OK + lines('HTTP/1.1 500 Oops', 'Content-Length: 0', '')),
      server(lines('HTTP/1.1 404 No', 'Content-Length: 0', '')),
    ],
    expected: [
      { ...answered, name: 'GET /1', begin: 0, requestEnd: 31, end: 40, clientError: undefined },
      { ...answered, name: 'GET /2', begin: 31, requestEnd: 62, clientError: '500', serverError: '500' },
      { ...answered, name: 'GET /3', begin: 62, requestEnd: 93, clientError: '404', serverError: undefined },
    ],
  },
  {
    name: 'an upgrade ends HTTP on the connection',
    conversation: [
      client(get('/chat', 'Connection: Upgrade', 'Upgrade: websocket')),
      server(lines('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', '')),
      client(new Uint8Array([0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9])),
    ],
    expected: [{ ...answered, name: 'GET /chat', attributes: { 'http.response.status_code': 101 }, end: 56 }],
    failed: true,
  },
  {
    name: 'an upgrade that is not taken up',
    conversation: [
      client(get('/chat', 'Connection: Upgrade', 'Upgrade: h2c')),
      server(OK),
      client(get('/next')),
      server(OK),
    ],
    expected: [
      { ...answered, name: 'GET /chat' },
      { ...answered, name: 'GET /next' },
    ],
  },
  {
    name: 'a tunnel',
    conversation: [
      client(lines('CONNECT db:3306 HTTP/1.1', 'Host: db:3306', '')),
      server(lines('HTTP/1.1 200 Connected', '')),
      server('\x4a\0\0\0\x0a8.0'),
    ],
    expected: [
      {
        ...answered,
        name: 'CONNECT',
        attributes: { 'server.address': 'db', 'server.port': 3306 },
        without: ['url.path'],
      },
    ],
    failed: true,
  },
  {
    name: 'a tunnel that is refused',
    conversation: [
      client(lines('CONNECT db:3306 HTTP/1.1', '')),
      server(lines('HTTP/1.1 403 No', 'Content-Length: 3', '') + 'no\n'),
      client(get('/x')),
      server(OK),
    ],
    expected: [
      { ...answered, name: 'CONNECT', clientError: '403' },
      { ...answered, name: 'GET /x' },
    ],
  },
  {
    name: 'absolute form, with user information that nobody may see',
    conversation: [
      client(lines('GET https://user:s3cret@[::1]:8443/a/b?q=1#frag HTTP/1.1', 'Host: proxy', '')),
      server(OK),
      client(lines('OPTIONS * HTTP/1.1', 'Host: a', '')),
      server(OK),
    ],
    expected: [
      {
        ...answered,
        name: 'GET /a/b',
        attributes: {
          'url.scheme': 'https',
          'url.path': '/a/b',
          'url.query': 'q=REDACTED',
          'server.address': '::1',
          'server.port': 8443,
        },
      },
      { ...answered, name: 'OPTIONS', attributes: { 'url.path': '*' }, without: ['http.route'] },
    ],
  },
  {
    name: 'folded headers, empty lines before requests, bare line feeds',
    conversation: [
      client('\r\n\r\nPOST /f HTTP/1.1\nHost:\n a\nX-Long: one\r\n\ttwo\nContent-Length:\r\n 3\n\nabc'),
      server('HTTP/1.1 200\nContent-Length: 1\n\n!'),
      client(`\r\n${get('/g')}`),
      server(OK),
    ],
    expected: [
      {
        ...answered,
        name: 'POST /f',
        begin: 4,
        requestBodyBytes: 3,
        responseBodyBytes: 1,
        attributes: { 'server.address': 'a' },
      },
      { ...answered, name: 'GET /g' },
    ],
  },
  {
    name: 'Transfer-Encoding wins over Content-Length',
    conversation: [
      client(`${lines('POST /s HTTP/1.1', 'Content-Length: 3', 'Transfer-Encoding: chunked', '')}1\r\nx\r\n0\r\n\r\n`),
      server(`${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'Content-Length: 400', '')}0\r\n\r\n`),
      client(get('/t')),
      server(OK),
    ],
    expected: [
      { ...answered, name: 'POST /s', requestBodyBytes: 1, responseBodyBytes: 0 },
      { ...answered, name: 'GET /t' },
    ],
  },
  {
    name: 'the same Content-Length twice',
    conversation: [
      client(`${lines('POST /s HTTP/1.1', 'Content-Length: 3, 3', 'Content-Length: 3', '')}abc`),
      server(OK),
    ],
    expected: [{ ...answered, name: 'POST /s', requestBodyBytes: 3 }],
  },
  {
    name: 'a method that nobody knows',
    conversation: [client(lines('BREW /pot HTTP/1.1', '')), server(OK)],
    expected: [
      {
        ...answered,
        name: 'HTTP /pot',
        attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'BREW' },
      },
    ],
  },
  {
    name: 'identifiers that link operations',
    conversation: [
      client(
        lines(
          'GET /k?a=b HTTP/1.1',
          'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          'X-Request-ID: 7f',
          'X-Openstack-Request-Id: req-1',
          'b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1',
          '',
        ),
      ),
      server(lines('HTTP/1.1 200 OK', 'x-openstack-request-id: req-2', 'x-request-id: 7f', 'Content-Length: 0', '')),
    ],
    expected: [
      {
        ...answered,
        contentKeys: [
          { type: 'traceparent', value: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', scope: 'one' },
          { type: 'b3', value: '80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1', scope: 'one' },
          { type: 'x-request-id', value: '7f', scope: 'group' },
          { type: 'x-openstack-request-id', value: 'req-1', scope: 'group' },
          { type: 'http-forward', value: 'c58b0b02', scope: 'group' },
          { type: 'x-openstack-request-id', value: 'req-2', scope: 'group' },
        ],
      },
    ],
  },
  {
    name: 'an answer that never comes',
    conversation: [client(get('/1')), server(OK), client(get('/2'), true)],
    expected: [
      { ...answered, name: 'GET /1' },
      { name: 'GET /2', abandoned: true, responseBegin: undefined },
    ],
  },
  {
    name: 'an answer of which the end never comes',
    conversation: [client(get('/1')), server(lines('HTTP/1.1 200 OK', 'Content-Length: 100', '') + 'half', true)],
    expected: [{ name: 'GET /1', abandoned: true, attributes: { 'http.response.status_code': 200 } }],
  },
  {
    name: 'a connection joined between messages',
    joined: true,
    conversation: [client(get('/2')), server(OK), client(get('/3')), server(OK)],
    expected: [
      { ...answered, name: 'GET /2' },
      { ...answered, name: 'GET /3' },
    ],
  },
]
