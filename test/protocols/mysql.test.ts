import { runCodecCases } from './harness.js'
import { cases, module } from './mysql-cases.js'

runCodecCases('mysql', module, cases)
