import { runCodecCases } from './harness.js'
import { cases, module } from './http-cases.js'

runCodecCases('http', module, cases)
