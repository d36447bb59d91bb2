import { client, runCodecCases, server } from './harness.js'
import { cases, module } from './memcached-cases.js'

runCodecCases('memcached', module, cases)

runCodecCases('memcached refuses', module, [
  {
    name: 'a client that speaks something else',
    conversation: [client('EHLO mail.example.org\r\n'), server('ERROR\r\n')],
    expected: [],
    failed: true,
  },
  {
    name: 'a server that speaks something else',
    conversation: [client('get k\r\n'), server('220 hello there\r\n-- \r\n')],
    expected: [{ name: 'get' }],
    failed: true,
  },
])
