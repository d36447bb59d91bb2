import { file } from '../../support/requirements.js'
import { certain, handedOver, type Workload } from '../workload.js'

/** @param mode see programs/Pool.java */
const java = (name: string, about: string, mode: string): Workload => ({
  name,
  carrier: 'pool',
  about,
  needs: [file('/usr/bin/java'), file('/usr/bin/javac', 'a JDK')],
  concurrency: [1, 10, 100],
  goal: certain,
  start: lab =>
    lab.serve({ name: 'java', command: '/usr/bin/java', args: ['-Xmx256m', lab.program('Pool.java'), mode] }),
})

export const javaSelector = java('java-pool', 'one thread reads, 20 others work and answer, background', 'selector')
export const javaHttp = java('java-http', "the JDK's HTTP server: the pool reads, works and answers", 'http')
export const javaStages: Workload = {
  ...java('java-stages', 'CompletableFuture, four stages on a pool of 20', 'stages'),
  goal: handedOver,
}
