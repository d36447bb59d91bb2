import { dirname } from 'node:path'
import { file } from '../../support/requirements.js'
import { certain, type Workload } from '../workload.js'

export const uwsgiThreads: Workload = {
  name: 'uwsgi-threads',
  carrier: 'thread',
  about: 'uWSGI, two processes of 20 threads, a new connection for each request, background calls',
  needs: [file('/usr/bin/uwsgi-core'), file('/usr/lib/uwsgi/plugins/python3_plugin.so')],
  concurrency: [1, 10, 100],
  keepAlive: false,
  goal: certain,
  start: lab =>
    lab.serve({
      name: 'uwsgi',
      command: '/usr/bin/uwsgi-core',
      args: [
        ...['--plugin', 'python3', '--http-socket', `127.0.0.1:${lab.port}`, '--master', '--processes', '2'],
        ...['--threads', '20', '--lazy-apps', '--disable-logging', '--pythonpath', dirname(lab.program('wsgi_app.py'))],
        ...['--module', 'wsgi_app:application', '--die-on-term'],
      ],
    }),
}
