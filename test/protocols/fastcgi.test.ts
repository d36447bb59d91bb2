import { cases, module } from './fastcgi-cases.js'
import { runCodecCases } from './harness.js'

runCodecCases('fastcgi', module, cases)
