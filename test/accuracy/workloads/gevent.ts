import { debianPython, servePython } from '../python.js'
import { certain, type Workload } from '../workload.js'

export const gevent: Workload = {
  name: 'gevent',
  carrier: 'greenlet',
  about: 'WSGI on one thread, spawned greenlets of two levels, pool, background',
  needs: debianPython('gevent'),
  concurrency: [1, 10, 100],
  goal: certain,
  start: lab => servePython(lab, 'gevent_app'),
}
