import type { Workload } from './workload.js'
import { asyncioWorkloads } from './workloads/asyncio.js'
import { chain } from './workloads/chain.js'
import { eventletPlain, eventletPrefork, eventletSpawn } from './workloads/eventlet.js'
import { fastapi } from './workloads/fastapi.js'
import { gevent } from './workloads/gevent.js'
import { goWorkloads } from './workloads/go.js'
import { gunicornThreads } from './workloads/gunicorn-threads.js'
import { haproxy } from './workloads/haproxy.js'
import { javaHttp, javaSelector, javaStages } from './workloads/java.js'
import { nginxKept, nginxNew } from './workloads/nginx.js'
import { nodeWorkloads } from './workloads/node.js'
import { osloBacklog, osloCalls, osloCasts } from './workloads/oslo.js'
import { pythonPool, pythonPoolBack } from './workloads/python-pool.js'
import { pythonThreads } from './workloads/python-threads.js'
import { uwsgiThreads } from './workloads/uwsgi-threads.js'
import { waitress } from './workloads/waitress.js'

/** All workloads, in the order of the table. */
export const workloads: readonly Workload[] = [
  gunicornThreads,
  uwsgiThreads,
  pythonThreads,
  ...[waitress, pythonPool, pythonPoolBack],
  ...[javaSelector, javaHttp, javaStages],
  ...[eventletPlain, eventletSpawn, eventletPrefork, gevent],
  ...asyncioWorkloads,
  fastapi,
  ...goWorkloads,
  ...nodeWorkloads,
  ...[nginxNew, nginxKept, chain, haproxy],
  ...[osloCalls, osloCasts, osloBacklog],
]
