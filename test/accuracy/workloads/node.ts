import { dirname } from 'node:path'
import { certain, type Goal, type Workload } from '../workload.js'

/** What runs after a timer and the like belongs to nobody until an answer tells. */
const timed: Goal = { sure: 0.9, precision: 0.999, recall: 0.6 }

function node(
  name: string,
  about: string,
  work: readonly string[],
  goal: Goal,
  more: Partial<Workload> = {},
): Workload {
  return {
    name,
    carrier: 'event loop',
    about,
    needs: [],
    concurrency: [1, 10, 100],
    goal,
    start: lab =>
      lab.serve({
        name,
        command: process.execPath,
        args: [lab.program('node_app.mjs'), ...work],
        env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` },
      }),
    ...more,
  }
}

export const nodeWorkloads: readonly Workload[] = [
  node('node', 'promises only, two of four calls side by side', ['row'], certain, { short: true }),
  node('node-fresh', 'the same, a new connection for each request and each call', ['row', 'fresh'], certain, {
    keepAlive: false,
  }),
  node('node-timer', 'a timer between calls, awaited', ['timer'], timed, { short: true }),
  node('node-callback', 'a timer between calls, with callbacks', ['callback'], timed),
  node('node-immediate', 'setImmediate between calls', ['immediate'], timed),
  node('node-file', 'a file is read between calls', ['file'], timed),
  node('node-mixed', 'promises and timers, background', ['row', 'timer', 'background'], timed),
  node(
    'node-all',
    'promises, timers and files one after the other, background',
    ['row', 'timer', 'file', 'background'],
    timed,
  ),
]
