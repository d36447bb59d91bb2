import type { Workload } from './workload.js'
import { gunicornThreads } from './workloads/gunicorn-threads.js'
import { nginxKept, nginxNew } from './workloads/nginx.js'
import { uwsgiThreads } from './workloads/uwsgi-threads.js'
import { waitress } from './workloads/waitress.js'

/** All workloads, in the order of the table. */
export const workloads: readonly Workload[] = [gunicornThreads, uwsgiThreads, waitress, nginxNew, nginxKept]
