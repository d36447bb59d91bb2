import { runCodecCases } from './harness.js'
import { cases, module } from './uwsgi-cases.js'

runCodecCases('uwsgi', module, cases)
