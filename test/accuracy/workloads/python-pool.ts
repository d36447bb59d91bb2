import { debianPython, servePython } from '../python.js'
import { certain, handedOver, type Workload } from '../workload.js'

const pool = { carrier: 'pool', needs: debianPython(), concurrency: [1, 10, 100] }

export const pythonPool: Workload = {
  ...pool,
  name: 'python-pool',
  about: 'one thread reads, 20 others work and answer, background',
  goal: certain,
  start: lab => servePython(lab, 'pool_app', ['worker']),
}

export const pythonPoolBack: Workload = {
  ...pool,
  name: 'python-pool-back',
  about: 'the result is handed back and the first thread answers',
  goal: handedOver,
  short: true,
  start: lab => servePython(lab, 'pool_app', ['back']),
}
