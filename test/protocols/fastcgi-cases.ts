import { Attribute } from '../../src/protocols/attribute-names.js'
import { fastcgi } from '../../src/protocols/fastcgi/index.js'
import { begin, end, joined, pairs, record, request, VARIABLES } from './cgi-packets.js'
import { type CodecCase, client, server } from './harness.js'

export const module = fastcgi

const REQUEST = request(VARIABLES)
const OK = record(6, 'X-Powered-By: PHP/8.2\r\nContent-type: text/html\r\n\r\nhello')
const NOT_FOUND = record(6, 'Status: 404 Not Found\r\nContent-type: text/html\r\n\r\nFile not found.\n')
const LONG = { ...VARIABLES, HTTP_X_LONG: 'x'.repeat(300), REQUEST_URI: `/items/${'y'.repeat(150)}` }

export const cases: CodecCase[] = [
  {
    name: 'a request and its answer',
    conversation: [client(REQUEST), server(OK), server(joined(record(6), end()))],
    expected: [
      {
        name: 'GET /items/4711',
        initiator: 'client',
        shape: 'call',
        housekeeping: false,
        truncated: false,
        begin: 0,
        requestEnd: REQUEST.length,
        responseBegin: 0,
        end: OK.length + 24,
        responseBodyBytes: 5,
        clientError: undefined,
        attributes: {
          [Attribute.networkProtocolName]: 'fastcgi',
          [Attribute.httpRequestMethod]: 'GET',
          [Attribute.httpResponseStatusCode]: 200,
          [Attribute.urlPath]: '/items/4711',
          [Attribute.urlQuery]: 'token=REDACTED',
          [Attribute.serverAddress]: 'shop.example',
          [Attribute.serverPort]: 8080,
        },
      },
    ],
  },
  {
    name: 'a connection that is kept: a body, an error with its text, then another request',
    conversation: [
      client(request({ ...VARIABLES, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '5' }, 'a=b&c', 1, true)),
      server(joined(record(7, 'PHP message: secret'), NOT_FOUND, end())),
      client(request(LONG, '', 1, true)),
      server(joined(record(6, 'Status: 500 Internal Server Error\r\n\r\n'), record(6, 'more'), end())),
    ],
    expected: [
      { name: 'POST /items/4711', requestBodyBytes: 5, clientError: '404', serverError: undefined },
      { name: `GET /items/${'y'.repeat(150)}`, clientError: '500', serverError: '500', responseBodyBytes: 4 },
    ],
  },
  {
    name: 'two requests through each other, variables in pieces',
    conversation: [
      client(joined(begin(1, true), begin(2, true))),
      client(record(4, pairs(VARIABLES).subarray(0, 33), 1)),
      client(record(4, pairs({ ...VARIABLES, REQUEST_URI: '/two' }), 2)),
      client(joined(record(4, pairs(VARIABLES).subarray(33), 1), record(4, '', 1), record(5, '', 1))),
      client(joined(record(4, '', 2), record(5, '', 2))),
      server(joined(record(6, 'Content-type: a/b\r\n\r\n2', 2), end(2))),
      server(joined(record(6, 'Location: /there\r\n\r\n', 1), end(1))),
    ],
    expected: [
      { name: 'GET /items/4711', begin: 0, attributes: { [Attribute.httpResponseStatusCode]: 302 } },
      { name: 'GET /two', begin: 16, attributes: { [Attribute.httpResponseStatusCode]: 200 } },
    ],
  },
  {
    name: 'an application that is overloaded, and a request that is given up',
    conversation: [
      client(request(VARIABLES, '', 1, true)),
      server(end(1, 2)),
      client(joined(begin(2, true), record(4, pairs(VARIABLES), 2), record(4, '', 2), record(2, '', 2))),
      server(end(2)),
    ],
    expected: [
      { name: 'GET /items/4711', clientError: 'OVERLOADED', serverError: 'OVERLOADED' },
      { name: 'GET /items/4711', clientError: 'aborted', serverError: undefined },
    ],
  },
  {
    name: 'management records are passed over; no answer',
    conversation: [
      client(joined(begin(), record(9, pairs({ FCGI_MAX_CONNS: '' }), 0), record(4, pairs(VARIABLES)), record(4))),
      server(record(10, pairs({ FCGI_MAX_CONNS: '5' }), 0)),
    ],
    expected: [{ name: 'GET /items/4711', abandoned: true }],
  },
  {
    name: 'met between two requests',
    joined: true,
    conversation: [client(REQUEST), server(joined(OK, end()))],
    expected: [{ name: 'GET /items/4711', end: OK.length + 16 }],
  },
]
