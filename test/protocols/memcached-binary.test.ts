import { runCodecCases } from './harness.js'
import { cases, module } from './memcached-binary-cases.js'

runCodecCases('memcached-binary', module, cases)
