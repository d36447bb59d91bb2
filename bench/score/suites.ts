import { deepflowAmqp } from './deepflow-amqp.js'
import { deepflowHttp } from './deepflow-http.js'
import { deepflowMysql } from './deepflow-mysql.js'
import { deepflowRedis } from './deepflow-redis.js'
import { deepflowSuite } from './deepflow-suite.js'
import { DEEPFLOW_EXCLUSIONS, LLHTTP_EXCLUSIONS, ZEEK_EXPLAINED } from './explained.js'
import { hpackSuite } from './hpack-suite.js'
import { llhttpSuite } from './llhttp-suite.js'
import type { Suite } from './verdict.js'
import { zeekHttp, zeekMysql, zeekRedis, zeekSuite } from './zeek-suite.js'

/** Every suite that there is an adapter for, in the order of the table. */
export const suites: readonly Suite[] = [
  hpackSuite('nghttp2'),
  hpackSuite('nghttp2-change-table-size'),
  llhttpSuite('request', LLHTTP_EXCLUSIONS),
  llhttpSuite('response', LLHTTP_EXCLUSIONS),
  ...[deepflowHttp, deepflowMysql, deepflowAmqp, deepflowRedis].map(each => deepflowSuite(each, DEEPFLOW_EXCLUSIONS)),
  ...[zeekHttp('http'), zeekHttp('tcp'), zeekMysql, zeekRedis].map(each => zeekSuite(each, ZEEK_EXPLAINED)),
]
