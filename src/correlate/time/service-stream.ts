import { type RequestRow, rowOf } from './request-row.js'
import { type Counts, createServiceMemory } from './service-memory.js'
import { createServiceWindow } from './service-window.js'
import { type Capped, type SolvedWindow, solveWindow } from './solve-window.js'
import { NO_PARENT } from './timed-sample.js'

/** A request of a running service. Times in µs. */
export interface StreamedRequest {
  /** Settled when it has ended. */
  kind: number
  readonly place: number
  readonly start: number
  /** NaN until it has ended. */
  end: number
}

/** A call that has ended. */
export interface StreamedCall {
  readonly kind: number
  readonly place: number
  readonly start: number
  readonly end: number
  /** Its request where other evidence tells; undefined: time is to tell. */
  readonly known: StreamedRequest | undefined
}

export interface StreamedCandidate {
  /** undefined: no parent. */
  readonly parent: StreamedRequest | undefined
  readonly confidence: number
  /** Requests of the parent's kind that its model was learned from. */
  readonly rows: number
}

export interface ServiceStreamOptions {
  readonly seed: number
  readonly decide: (call: StreamedCall, candidates: readonly StreamedCandidate[]) => void
  /** Told of every window: what was left out because there was too much of it. */
  readonly solved?: (window: Capped & { changedKinds: number }) => void
  /** Calls that were not taken because too many waited, and requests that were let go because there were too many. */
  readonly refused?: (calls: number) => void
  readonly dropped?: (requests: number) => void
  /** Numbers of kinds so far. */
  readonly requestKinds: () => number
  readonly callKinds: () => number
  /** A call may be added this long after its end, µs. Default 0. */
  readonly lateUs?: number
}

/**
 * One service as it goes on: collects requests and calls, and decides the calls in windows, each as soon as the requests
 * that could have made them have ended and some more has been seen. Driven by the samples' time alone.
 */
export interface ServiceStream {
  /** A request has begun; its `end` is set by whoever owns it. */
  begin(request: StreamedRequest): void
  add(call: StreamedCall): void
  /** The call's parent is not known any more: it is to be decided. False: it has been let go, or its parent was open. */
  reopen(call: StreamedCall): boolean
  /** Time has come this far. */
  advance(nowUs: number): void
  /** Decides all that is left. */
  finish(): void
  /** Calls that wait for their decision. */
  readonly undecided: number
  /** Start of the first of them, µs; infinite where there is none. */
  readonly firstUndecidedUs: number
}

/** How often it is looked whether a window is due, and how long a call that could be decided waits for others. */
const LOOK_US = 250e3
const GATHER_US = 1_000e3
/** The first windows wait longer, so that there is something to learn from. */
const FIRST_GATHER_US = 8_000e3
const ROWS_TO_KNOW = 200
/** A request that is open this long does not hold up the decisions of others any more. */
const LONGEST_OPEN_US = 5_000e3
/** Calls that one window decides at most, and calls after them that it looks at. */
const CALLS_A_WINDOW = 3_000
const CALLS_AHEAD = 1_000
/** Requests are kept for calls that come later than they should, by this many times. */
const KEPT_FOR_LATE = 20
/** Most requests that are kept; beyond it the oldest are let go. */
const MOST_REQUESTS = 30_000
/** Calls that wait for their decision at most; more are left without one. */
const MOST_UNDECIDED = 30_000

interface Kept {
  readonly call: StreamedCall
  /** Decided in an earlier window, or known: undefined for no parent. */
  parent: StreamedRequest | undefined
  decided: boolean
}

export function createServiceStream(options: ServiceStreamOptions): ServiceStream {
  const memory = createServiceMemory()
  const lateUs = options.lateUs ?? 0
  const learned = new WeakSet<StreamedRequest>()
  let requests: StreamedRequest[] = []
  let calls: Kept[] = []
  let undecided = 0
  let firstUndecidedUs = Number.POSITIVE_INFINITY
  let lookAt = Number.NEGATIVE_INFINITY
  let windows = 0
  let now = Number.NEGATIVE_INFINITY

  /** Before this moment every request that has begun has ended (or is not waited for). */
  const watermark = (): number => {
    let mark = now - lateUs
    for (const { start, end } of requests) {
      if (Number.isNaN(end) && now - start <= LONGEST_OPEN_US && start < mark) mark = start
    }
    return mark
  }
  const isDue = (ripe: readonly Kept[]): boolean => {
    if (ripe.length === 0) return false
    if (ripe.length >= CALLS_A_WINDOW) return true
    let oldest = now
    for (const { call } of ripe) oldest = Math.min(oldest, call.end)
    return now - oldest >= (memory.rows >= ROWS_TO_KNOW ? GATHER_US : FIRST_GATHER_US)
  }
  const look = (last: boolean): boolean => {
    calls.sort((a, b) => a.call.start - b.call.start)
    const mark = last ? Number.POSITIVE_INFINITY : watermark()
    const ripe = calls.filter(({ decided, call }) => !decided && call.start < mark)
    if (ripe.length === 0 || !(last || isDue(ripe))) {
      if (undecided === 0) prune(mark)
      return false
    }
    const more = ripe.length > CALLS_A_WINDOW
    decideUntil(more ? ripe[CALLS_A_WINDOW]!.call.start : mark)
    return more
  }
  const decideUntil = (mark: number): void => {
    const { inside, ahead } = windowOf(requests, calls, mark)
    const solve = (): SolvedWindow => solveKept(inside, ahead, mark)
    let solved = solve()
    let rows = newRows(inside, solved, mark)
    const changed = memory.changedKinds(rows.map(({ row }) => row))
    if (changed.length > 0) {
      memory.forget(changed)
      solved = solve()
      rows = newRows(inside, solved, mark)
    }
    const counts = publish(inside, ahead, solved, mark)
    for (const { request } of rows) learned.add(request)
    memory.learn(
      rows.map(({ row }) => row),
      solved.fitted,
      counts,
      now,
    )
    options.solved?.({ ...solved.capped, changedKinds: changed.length })
    prune(mark)
  }
  const solveKept = (inside: readonly StreamedRequest[], ahead: readonly Kept[], mark: number): SolvedWindow => {
    const indexOf = new Map(inside.map((request, index) => [request, index]))
    const window = createServiceWindow({
      requests: inside,
      calls: ahead.map(({ call, decided, parent }) => {
        const known = decided ? (parent === undefined ? NO_PARENT : (indexOf.get(parent) ?? NO_PARENT)) : undefined
        return { kind: call.kind, place: call.place, start: call.start, end: call.end, known }
      }),
      requestKinds: options.requestKinds(),
      callKinds: options.callKinds(),
      earlierDurations: kind => memory.durations(kind),
    })
    return solveWindow(window, {
      seed: options.seed + windows++,
      earlier: memory.earlier(now),
      whole: request => inside[request]!.end <= mark,
    })
  }
  const newRows = (
    inside: readonly StreamedRequest[],
    { fitted }: SolvedWindow,
    mark: number,
  ): { request: StreamedRequest; row: RequestRow }[] => {
    const rows: { request: StreamedRequest; row: RequestRow }[] = []
    inside.forEach((request, index) => {
      if (request.end > mark || learned.has(request)) return
      rows.push({ request, row: rowOf(fitted.window, fitted.links, index) })
    })
    return rows
  }
  const publish = (
    inside: readonly StreamedRequest[],
    ahead: readonly Kept[],
    solved: SolvedWindow,
    mark: number,
  ): Counts => {
    const counts: Counts = {
      calls: new Float64Array(options.callKinds()),
      orphans: new Float64Array(options.callKinds()),
    }
    ahead.forEach((kept, index) => {
      if (kept.decided || kept.call.start >= mark) return
      const candidates = solved.candidates[index]!.map(({ parent, confidence }) => {
        const request = parent < 0 ? undefined : inside[parent]!
        const rows = request === undefined ? 0 : solved.fitted.operations[request.kind]!.rows
        return { parent: request, confidence, rows }
      })
      kept.decided = true
      kept.parent = candidates[0]!.parent
      undecided--
      counts.calls[kept.call.kind]!++
      if (kept.parent === undefined) counts.orphans[kept.call.kind]!++
      options.decide(kept.call, candidates)
    })
    return counts
  }
  /** Lets go of what no undecided or coming call can belong to. */
  const prune = (mark: number): void => {
    firstUndecidedUs = Number.POSITIVE_INFINITY
    for (const { decided, call } of calls) if (!decided) firstUndecidedUs = Math.min(firstUndecidedUs, call.start)
    const from = Math.min(Math.min(mark, now) - lateUs * KEPT_FOR_LATE, firstUndecidedUs)
    requests = requests.filter(({ start, end }) =>
      Number.isNaN(end) ? now - start <= 2 * LONGEST_OPEN_US || start >= from : end >= from,
    )
    if (requests.length > MOST_REQUESTS) {
      options.dropped?.(requests.length - MOST_REQUESTS)
      requests = requests.slice(-MOST_REQUESTS)
    }
    const kept = new Set(requests)
    calls = calls.filter(({ decided, parent }) => !decided || (parent !== undefined && kept.has(parent)))
  }

  return {
    begin: request => {
      requests.push(request)
    },
    add: call => {
      if (calls.length >= MOST_UNDECIDED) {
        options.refused?.(1)
        if (call.known === undefined) options.decide(call, [{ parent: undefined, confidence: 0, rows: 0 }])
        return
      }
      const decided = call.known !== undefined
      calls.push({ call, parent: call.known, decided })
      if (decided) return
      undecided++
      firstUndecidedUs = Math.min(firstUndecidedUs, call.start)
    },
    reopen: call => {
      const kept = calls.find(one => one.call === call)
      if (kept === undefined || !kept.decided || call.known === undefined) return false
      kept.decided = false
      undecided++
      firstUndecidedUs = Math.min(firstUndecidedUs, call.start)
      return true
    },
    advance: nowUs => {
      now = Math.max(now, nowUs)
      if (now < lookAt) return
      lookAt = now + LOOK_US
      while (look(false));
    },
    finish: () => {
      while (look(true));
    },
    get undecided() {
      return undecided
    },
    get firstUndecidedUs() {
      return firstUndecidedUs
    },
  }
}

/** Requests that have ended, and calls, as far as they bear on the calls before the mark; in order of their start. */
function windowOf(
  requests: readonly StreamedRequest[],
  calls: readonly Kept[],
  mark: number,
): { inside: StreamedRequest[]; ahead: Kept[] } {
  let horizon = mark
  for (const { start, end } of requests) if (start < mark && end > horizon) horizon = end
  const ahead: Kept[] = []
  let beyond = 0
  for (const kept of calls) {
    if (kept.call.start >= horizon || beyond >= CALLS_AHEAD) break
    if (kept.call.start >= mark) beyond++
    ahead.push(kept)
  }
  const until = beyond >= CALLS_AHEAD ? ahead.at(-1)!.call.start : horizon
  const inside = requests
    .filter(({ start, end }) => !Number.isNaN(end) && start <= until)
    .sort((a, b) => a.start - b.start)
  // A call that is known to belong to a request outside the window tells nothing in it.
  const there = new Set(inside)
  const bearing = ahead.filter(({ decided, parent }) => !decided || parent === undefined || there.has(parent))
  return { inside, ahead: bearing }
}
