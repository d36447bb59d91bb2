import type { Sample } from './sample.js'

/**
 * How far "the carrier works for whom it was last seen to work for" is believed, by run-time and by what a process shows
 * of itself: the one place that says so. docs/carriers.md has it as a table.
 */
export type Trust = 'trusted' | 'inferred' | 'open'

/** What is left of context evidence where a process behaves so that a carrier may work for somebody else: never a parent. */
export const DOUBTED = 0.3

/** From now on context is believed no more of this call than where it is in doubt. */
export function doubtContext(call: Sample): void {
  call.contextTrust = Math.min(call.contextTrust, DOUBTED)
}

export interface TrustRule {
  /** A kind of carriers, or a behaviour that is noticed. */
  readonly when: string
  readonly trust: Trust
  /** How the owner of a call is found, or what is noticed. */
  readonly by: string
  /** What is left open. */
  readonly open: string
}

/** By what runs one piece of work at a time. */
export const RUN_TIMES = {
  threads: {
    when: 'threads: one a request, pools whose worker reads or answers, nginx',
    trust: 'trusted',
    by: 'by read and by reply; a started thread works for its starter until the request is over',
    open: 'jobs handed to a thread that was there before',
  },
  greenlet: {
    when: 'greenlets (eventlet, gevent)',
    trust: 'trusted',
    by: 'by read, by reply, by birth',
    open: 'jobs that wait in a queue for a free greenlet',
  },
  asyncio: {
    when: 'asyncio, anyio: the running Context',
    trust: 'trusted',
    by: 'by read, by reply, by birth',
    open: '`run_in_executor`, `asyncio.Queue`',
  },
  uvloop: {
    when: 'uvloop',
    trust: 'trusted',
    by: 'by reply and by birth; what it reads outside of tasks tells nothing',
    open: 'as asyncio',
  },
  go: {
    when: 'goroutines',
    trust: 'open',
    by: 'programs are known by their sections; who runs in them is not read yet',
    open: 'everything by context',
  },
  node: {
    when: 'Node.js',
    trust: 'trusted',
    by: 'by read; file work and DNS by who ordered it; after a timer by the response at the end',
    open: 'after a timer or `setImmediate`, what no response follows from; several answers in one read; HTTP/2',
  },
} as const satisfies Record<string, TrustRule>

export type RunTime = keyof typeof RUN_TIMES

/** By what a process is seen to do, whatever it runs. */
export const BEHAVIOURS = {
  batches: {
    when: 'requests are read in a row before any is acted on (HAProxy)',
    trust: 'inferred',
    by: '2 % of its requests, of 50 or more, were read over an untouched one',
    open: 'left to content and time',
  },
  stages: {
    when: 'threads that answer do parts of many jobs (futures, reactors)',
    trust: 'inferred',
    by: 'calls older than the request, answers without calls, far too many calls',
    open: 'left to time',
  },
  commonTask: {
    when: 'one task answers for many connections',
    trust: 'inferred',
    by: '5 % of its answers went elsewhere than the one before',
    open: 'left to time',
  },
  livingOn: {
    when: 'threads or tasks that go on after the request that they were started for',
    trust: 'inferred',
    by: 'they call once it has been answered; from then on, and where it happens often before, too',
    open: 'what they do afterwards is nobody’s',
  },
  backlog: {
    when: 'messages wait in the process for a free worker (oslo.messaging)',
    trust: 'open',
    by: 'a message was consumed and no carrier was born for it',
    open: 'calls of workers born before that',
  },
  counts: {
    when: 'a request without the calls that its like have, beside one with twice as many',
    trust: 'inferred',
    by: 'numbers of calls by operation',
    open: 'both are doubted',
  },
  unresolved: {
    when: 'carriers of an unknown kind or version, refused probes, lost records',
    trust: 'open',
    by: '`ghostspan status` has the reason',
    open: 'everything by context',
  },
} as const satisfies Record<string, TrustRule>

function trustTable(): string {
  const row = ({ when, trust, by, open }: TrustRule): string => `| ${when} | ${trust} | ${by} | ${open} |`
  return [
    '| run-time or behaviour | calls are | how it is known | left open |',
    '| --- | --- | --- | --- |',
    ...Object.values(RUN_TIMES).map(row),
    ...Object.values(BEHAVIOURS).map(row),
  ].join('\n')
}

/** docs/carriers.md with the table between its marks. */
export function withTrustTable(page: string): string {
  return page.replace(/<!-- trust -->.*<!-- \/trust -->/s, `<!-- trust -->\n\n${trustTable()}\n\n<!-- /trust -->`)
}
