import { debianPython, servePython } from '../python.js'
import { certain, type Workload } from '../workload.js'

export const waitress: Workload = {
  name: 'waitress',
  carrier: 'pool',
  about: 'one thread reads all requests, 20 others work and answer themselves; background calls',
  needs: debianPython('waitress'),
  concurrency: [1, 10, 100],
  goal: certain,
  short: true,
  start: lab => servePython(lab, 'waitress_app'),
}
