import { Attribute } from '../../src/protocols/attribute-names.js'
import { uwsgi } from '../../src/protocols/uwsgi/index.js'
import { uwsgiPacket, VARIABLES } from './cgi-packets.js'
import { type CodecCase, client, server } from './harness.js'

export const module = uwsgi

const PACKET = uwsgiPacket(VARIABLES)
const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n'
const BOUNDED = 'HTTP/1.0 404 Not Found\r\nContent-Length: 5\r\n\r\nhello'

export const cases: CodecCase[] = [
  {
    name: 'a request, and an answer that ends with the connection',
    conversation: [client(PACKET), server(OK), server('hello', true)],
    expected: [
      {
        name: 'GET /items/4711',
        initiator: 'client',
        shape: 'call',
        housekeeping: false,
        truncated: false,
        begin: 0,
        requestEnd: PACKET.length,
        responseBegin: 0,
        end: OK.length + 5,
        endsAtEof: true,
        requestBodyBytes: 0,
        clientError: undefined,
        attributes: {
          [Attribute.networkProtocolName]: 'uwsgi',
          [Attribute.httpRequestMethod]: 'GET',
          [Attribute.httpResponseStatusCode]: 200,
          [Attribute.urlPath]: '/items/4711',
          [Attribute.urlQuery]: 'token=REDACTED',
          [Attribute.urlScheme]: 'http',
          [Attribute.serverAddress]: 'shop.example',
          [Attribute.serverPort]: 8080,
          [Attribute.userAgentOriginal]: 'curl/7.88.1',
        },
      },
    ],
  },
  {
    name: 'a request with a body, an answer of known length',
    conversation: [
      client(uwsgiPacket({ ...VARIABLES, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '11' })),
      client('hello world'),
      server(BOUNDED),
    ],
    expected: [
      {
        name: 'POST /items/4711',
        requestBodyBytes: 11,
        responseBodyBytes: 5,
        requestEnd: uwsgiPacket({ ...VARIABLES, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '11' }).length + 11,
        end: BOUNDED.length,
        clientError: '404',
        serverError: undefined,
      },
    ],
  },
  {
    name: 'an application that fails, and one that answers nothing to a HEAD',
    conversation: [
      client(uwsgiPacket({ ...VARIABLES, REQUEST_METHOD: 'HEAD' }, '', 5)),
      server('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100\r\n\r\n'),
    ],
    expected: [{ name: 'HEAD /items/4711', clientError: '500', serverError: '500', end: 59, responseBodyBytes: 0 }],
  },
  {
    name: 'a target that is put together, a method that nobody knows, identifiers',
    conversation: [
      client(
        uwsgiPacket({
          REQUEST_METHOD: 'BREW',
          SCRIPT_NAME: '/app',
          PATH_INFO: '/pot',
          QUERY_STRING: 'a=1',
          SERVER_NAME: '_',
          HTTPS: 'on',
          HTTP_X_OPENSTACK_REQUEST_ID: 'req-1',
          HTTP_TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        }),
      ),
      server('HTTP/1.1 204 No Content\r\n\r\n'),
    ],
    expected: [
      {
        name: 'HTTP /app/pot',
        end: 27,
        attributes: {
          [Attribute.httpRequestMethod]: '_OTHER',
          [Attribute.httpRequestMethodOriginal]: 'BREW',
          [Attribute.urlScheme]: 'https',
          [Attribute.urlQuery]: 'a=REDACTED',
        },
        without: [Attribute.serverAddress],
        contentKeys: [
          { type: 'traceparent', value: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', scope: 'one' },
          { type: 'x-openstack-request-id', value: 'req-1', scope: 'group' },
        ],
      },
    ],
  },
  {
    name: 'no answer',
    conversation: [client(PACKET)],
    expected: [{ name: 'GET /items/4711', abandoned: true }],
  },
]
