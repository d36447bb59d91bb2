import { debianPython, servePython } from '../python.js'
import { certain, type Workload } from '../workload.js'

export const pythonThreads: Workload = {
  name: 'python-threads',
  carrier: 'thread',
  about: 'a thread for each connection; each request starts two threads of its own, background',
  needs: debianPython(),
  concurrency: [1, 10, 100],
  goal: certain,
  start: lab => servePython(lab, 'threads_app'),
}
