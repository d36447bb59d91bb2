import { type CodecCase, client, runCodecCases, server } from './harness.js'
import { cases, command, module } from './redis-cases.js'

runCodecCases('redis', module, cases)

const REFUSED: CodecCase[] = [
  {
    name: 'a client that speaks something else',
    conversation: [client('GARBAGE here\r\n'), server('220 mail\r\n')],
    expected: [],
    failed: true,
  },
  {
    name: 'a server that speaks something else',
    conversation: [command('GET', 'k'), server('HTTP/1.1 400 Bad Request\r\n\r\n')],
    expected: [{ name: 'GET', abandoned: false, truncated: true }],
    failed: true,
  },
]
runCodecCases('redis refuses', module, REFUSED)
