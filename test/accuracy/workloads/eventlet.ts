import { debianPython, servePython } from '../python.js'
import { certain, type Workload } from '../workload.js'

const eventlet = {
  carrier: 'greenlet',
  needs: debianPython('eventlet'),
  concurrency: [1, 10, 100],
  goal: certain,
}

export const eventletPlain: Workload = {
  ...eventlet,
  name: 'eventlet',
  about: 'WSGI on one thread, calls by the own greenlet',
  start: lab => servePython(lab, 'eventlet_app'),
}

export const eventletSpawn: Workload = {
  ...eventlet,
  name: 'eventlet-spawn',
  about: 'new connection for each request, spawned greenlets of two levels, GreenPool, 50 frames deep, background, hub',
  keepAlive: false,
  short: true,
  start: lab => servePython(lab, 'eventlet_app', ['keepalive=0', 'spawn=1', 'background=1', 'deep=50']),
}

export const eventletPrefork: Workload = {
  ...eventlet,
  name: 'eventlet-prefork',
  about: 'two processes forked while they are watched; spawned greenlets, background',
  concurrency: [10, 100],
  start: lab => servePython(lab, 'eventlet_app', ['spawn=1', 'background=1', 'workers=2']),
}
