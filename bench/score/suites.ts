import { deepflowAmqp } from './deepflow-amqp.js'
import { deepflowDns } from './deepflow-dns.js'
import { deepflowHttp } from './deepflow-http.js'
import { deepflowKafka } from './deepflow-kafka.js'
import { deepflowMysql } from './deepflow-mysql.js'
import { deepflowRedis } from './deepflow-redis.js'
import { deepflowSuite } from './deepflow-suite.js'
import { DEEPFLOW_EXCLUSIONS, LLHTTP_EXCLUSIONS, ZEEK_EXPLAINED } from './explained.js'
import { hpackSuite } from './hpack-suite.js'
import { llhttpSuite } from './llhttp-suite.js'
import { ownKafkaSuite } from './own-kafka-suite.js'
import { httpView, mysqlView, postgresqlView, redisView } from './tshark-views.js'
import type { Suite } from './verdict.js'
import { zeekSuite } from './zeek-suite.js'

/** Every suite that there is an adapter for, in the order of the table. */
export const suites: readonly Suite[] = [
  hpackSuite('nghttp2'),
  hpackSuite('nghttp2-change-table-size'),
  llhttpSuite('request', LLHTTP_EXCLUSIONS),
  llhttpSuite('response', LLHTTP_EXCLUSIONS),
  ...[deepflowHttp, deepflowMysql, deepflowAmqp, deepflowRedis, deepflowDns, deepflowKafka].map(each =>
    deepflowSuite(each, DEEPFLOW_EXCLUSIONS),
  ),
  ...[
    { protocol: 'postgresql', author: 'deepflow', folder: 'postgre', view: postgresqlView },
    { protocol: 'http', folder: 'http', view: httpView },
    { protocol: 'http', folder: 'tcp', view: httpView },
    { protocol: 'mysql', folder: 'mysql', view: mysqlView },
    { protocol: 'postgresql', folder: 'postgresql', view: postgresqlView },
    { protocol: 'redis', folder: 'redis', view: redisView },
  ].map(each => zeekSuite(each, ZEEK_EXPLAINED)),
  ownKafkaSuite,
]
