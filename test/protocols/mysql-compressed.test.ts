import { runCodecCases } from './harness.js'
import { cases, module } from './mysql-compressed-cases.js'

runCodecCases('mysql-compressed', module, cases)
