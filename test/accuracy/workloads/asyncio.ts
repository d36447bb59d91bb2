import { debianPython, servePython } from '../python.js'
import { certain, handedOver, type Workload } from '../workload.js'

/** Calls in a row, with sleeps, and by tasks of all kinds that the request waits for: 13 a request. */
const EVERYTHING = ['row', 'sleep', 'gather', 'task', 'group', 'nest', 'wait', 'background']

function asyncio(
  name: string,
  about: string,
  [server, ...work]: readonly [server: 'aiohttp' | 'uvicorn' | 'uvloop', ...work: readonly string[]],
  more: Partial<Workload> = {},
): Workload {
  const modules =
    server === 'aiohttp' ? ['aiohttp'] : ['aiohttp', 'uvicorn', ...(server === 'uvloop' ? ['uvloop'] : [])]
  return {
    name,
    carrier: 'asyncio',
    about,
    needs: debianPython(...modules),
    concurrency: [1, 10, 100],
    requests: 300,
    goal: certain,
    start: lab => servePython(lab, 'asyncio_app', [server, ...work]),
    ...more,
  }
}

export const asyncioWorkloads: readonly Workload[] = [
  asyncio('aiohttp', 'server and client, child tasks of all kinds, sleeps, background', ['aiohttp', ...EVERYTHING]),
  asyncio('uvicorn', "the same under uvicorn on asyncio's loop", ['uvicorn', ...EVERYTHING]),
  asyncio('uvloop', "the same under uvicorn on uvloop's loop", ['uvloop', ...EVERYTHING], { short: true }),
  asyncio('aiohttp-fresh', 'a new connection for each request and each call', ['aiohttp', ...EVERYTHING, 'fresh'], {
    keepAlive: false,
    concurrency: [10, 100],
  }),
  asyncio('aiohttp-limit', 'four connections for all calls', ['aiohttp', 'row', 'gather', 'background', 'limit'], {
    concurrency: [10, 100],
  }),
  asyncio('aiohttp-late', 'tasks that outlive their request', ['aiohttp', 'late', 'background'], { requests: 600 }),
  asyncio('asyncio-thread', 'asyncio.to_thread', ['aiohttp', 'thread', 'background'], { requests: 600 }),
  asyncio('asyncio-executor', 'run_in_executor', ['aiohttp', 'executor', 'background'], {
    requests: 600,
    goal: handedOver,
  }),
  asyncio('asyncio-queue', 'eight tasks that live for ever, fed by a queue', ['aiohttp', 'queue', 'background'], {
    requests: 600,
    goal: handedOver,
  }),
]
