import { Attribute } from '../../src/protocols/attribute-names.js'
import { dns } from '../../src/protocols/dns/index.js'
import { ADDRESS, answer, FLAG_ANSWER, framed, message, OPTIONS } from './dns-messages.js'
import { type CodecCase, client, server } from './harness.js'

export const module = dns

const NAME = Attribute.dnsQuestionName
const TYPE = Attribute.ghostspanDnsQuestionType
const CODE = Attribute.ghostspanDnsResponseCode
const COUNT = Attribute.ghostspanDnsAnswerCount

const A = { name: 'www.Example.org' }
const AAAA = { name: 'www.example.org', type: 28, id: 7 }
const withOptions = { ...A, records: OPTIONS, counts: [0, 0, 1] as const }

/** DNS over TCP: what comes over UDP is in dns.test.ts, because datagrams cannot be cut into other pieces. */
export const cases: CodecCase[] = [
  {
    name: 'a question and its answer',
    conversation: [client(framed(message(A))), server(framed(answer(A)))],
    expected: [
      {
        name: 'DNS A',
        initiator: 'client',
        shape: 'call',
        housekeeping: false,
        truncated: false,
        begin: 0,
        requestEnd: 35,
        responseBegin: 0,
        end: 51,
        clientError: undefined,
        attributes: { [NAME]: 'www.example.org', [TYPE]: 'A', [CODE]: 'NOERROR', [COUNT]: 1 },
      },
    ],
  },
  {
    name: 'two questions at once, answered the other way round',
    conversation: [
      client(framed(message(withOptions), message(AAAA))),
      server(framed(answer(AAAA, 3))),
      server(framed(answer(A))),
    ],
    expected: [
      { name: 'DNS A', begin: 0, requestEnd: 46, responseBegin: 35, end: 86, attributes: { [CODE]: 'NOERROR' } },
      {
        name: 'DNS AAAA',
        begin: 46,
        responseBegin: 0,
        end: 35,
        clientError: 'NXDOMAIN',
        serverError: undefined,
        attributes: { [CODE]: 'NXDOMAIN', [COUNT]: 0 },
      },
    ],
  },
  {
    name: 'a server that fails, one that refuses without a question',
    conversation: [
      client(framed(message(A))),
      server(framed(answer(A, 2))),
      client(framed(message(AAAA))),
      server(framed(Uint8Array.from([0, 7, 0x80, 5, 0, 0, 0, 0, 0, 0, 0, 0]))),
    ],
    expected: [
      { name: 'DNS A', clientError: 'SERVFAIL', serverError: 'SERVFAIL' },
      { name: 'DNS AAAA', clientError: 'REFUSED', serverError: 'REFUSED', responseBegin: 35, end: 49 },
    ],
  },
  {
    name: 'a question that is not answered',
    conversation: [client(framed(message(A)))],
    expected: [{ name: 'DNS A', end: undefined, abandoned: true }],
  },
  {
    name: 'a zone in several messages, known to be over by the next question',
    conversation: [
      client(framed(message({ name: 'example.org', type: 252 }))),
      server(framed(answer({ name: 'example.org', type: 252 }))),
      server(
        framed(
          message({ name: 'example.org', type: 252, flags: FLAG_ANSWER, records: ADDRESS, counts: [1, 0, 0] }),
          answer({ name: 'example.org', type: 252 }),
        ),
      ),
      client(framed(message(AAAA))),
      server(framed(answer(AAAA))),
    ],
    expected: [
      { name: 'DNS AXFR', begin: 0, requestEnd: 31, responseBegin: 0, end: 141, endsAtEof: true },
      { name: 'DNS AAAA', begin: 31, responseBegin: 141, end: 192 },
    ],
  },
  {
    name: 'an update and a notification',
    conversation: [
      client(framed(message({ name: 'example.org', type: 6, flags: 5 << 11 }))),
      server(framed(message({ name: 'example.org', type: 6, flags: FLAG_ANSWER | (5 << 11) | 9 }))),
      client(framed(message({ name: 'example.org', type: 6, flags: 4 << 11, id: 2 }))),
      server(framed(message({ name: 'example.org', type: 6, flags: FLAG_ANSWER | (4 << 11), id: 2 }))),
    ],
    expected: [
      { name: 'DNS UPDATE', clientError: 'NOTAUTH', attributes: { [NAME]: 'example.org', [TYPE]: 'SOA' } },
      { name: 'DNS NOTIFY', clientError: undefined, attributes: { [CODE]: 'NOERROR' } },
    ],
  },
  {
    name: 'data in a name is not shown, what is no letter is written as a number',
    conversation: [
      client(framed(message({ name: 'Zx9QpL27aTr0vBn4KdYw.a b.example.org', type: 16 }))),
      server(framed(answer({ name: 'Zx9QpL27aTr0vBn4KdYw.a b.example.org', type: 16 }))),
    ],
    expected: [{ name: 'DNS TXT', attributes: { [NAME]: 'REDACTED.a\\032b.example.org' } }],
  },
  {
    name: 'met between two questions',
    joined: true,
    conversation: [client(framed(message(AAAA))), server(framed(answer(AAAA)))],
    expected: [{ name: 'DNS AAAA', begin: 0, responseBegin: 0, end: 51 }],
  },
]
