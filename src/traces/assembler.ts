import type { Link } from '../correlate/link.js'
import type { Solver } from '../correlate/solver.js'
import type { Sample } from '../samples/sample.js'
import type { SampleListener } from '../samples/sample-recorder.js'
import type { Counters } from '../telemetry/counters.js'
import { createQueue } from './queue.js'
import type { FinishedTrace } from './span.js'
import type { TraceBuilder } from './trace-builder.js'
import { attach, createNode, preOrder, type TraceGroup, type TraceNode } from './trace-group.js'

const MILLION = 1e6

/** Events of two processors come slightly out of order, and the other end's may come later: wait this long to decide. */
const SETTLE_NS = 100 * MILLION
/** Where a process answers from other threads than it reads on, its calls' owner may be known only then. */
const REPLY_WAIT_NS = 30_000 * MILLION

export interface AssemblerOptions {
  readonly solver: Solver
  readonly builder: TraceBuilder
  readonly counters: Counters
  readonly emit: (trace: FinishedTrace) => void
  /** The far end of a leaf, seen at its near end too, makes no span: true drops the sample. */
  readonly redundant: (sample: Sample) => boolean
  /** A sample will not be asked for again. */
  readonly forget: (sample: Sample) => void
  readonly mayBindLater: (sample: Sample) => boolean
  /** Evidence about this call is still to come: it is asked for again a little later. */
  readonly awaitsEvidence?: (call: Sample) => boolean
  /** True while nothing that this process does can belong to a request of its own: it has never called anybody. */
  readonly callsNobody?: (process: Sample['process']) => boolean
  /** Evidence still to come may make this request a parent: its trace stays for now. */
  readonly mayGainCalls?: (request: Sample) => boolean
  /** Nothing more will be seen: evidence that is still to come is to be given now. */
  readonly lastEvidence?: () => void
  readonly quietNs: number
  readonly longestNs: number
  readonly confidenceFloor: number
  readonly openLimit: number
}

/** Puts samples into traces and lets each trace go once it is quiet or too old. Driven by event time alone. */
export interface Assembler extends Pick<SampleListener, 'begin' | 'complete'> {
  /** Time has come this far (ns since the capture's base). */
  advance(nowNs: number): void
  /** Lets everything go. */
  finish(): void
  readonly openSamples: number
  readonly openTraces: number
}

interface Due {
  readonly node: TraceNode
  readonly dueNs: number
}

interface Check {
  readonly group: TraceGroup
  readonly dueNs: number
}

export function createAssembler(options: AssemblerOptions): Assembler {
  const { solver, builder, counters, emit, quietNs, longestNs, confidenceFloor } = options
  const nodeOf = (sample: Sample): TraceNode | undefined => sample.node as TraceNode | undefined
  let openSamples = 0
  const toDecide = createQueue<Due>()
  const toCheck = createQueue<Check>()
  const byAge = createQueue<TraceNode>()
  const tooOld = counters.counter('traces.forced.too_old')
  const overLimit = counters.counter('traces.forced.open_limit')
  const afterExport = counters.counter('traces.samples.completed_after_export')
  const redundant = counters.counter('samples.far_end_of_leaf')
  const circles = counters.counter('correlate.refused.circle')
  let now = 0
  let groups = 0

  const schedule = (group: TraceGroup): void => {
    if (group.open > 0 || group.undecided > 0 || group.scheduled) return
    group.scheduled = true
    toCheck.push({ group, dueNs: group.lastNs + quietNs })
  }
  const remove = (node: TraceNode): void => {
    byAge.remove(node.place)
    node.sample.node = undefined
    openSamples--
    options.forget(node.sample)
  }
  const drop = (node: TraceNode): void => {
    redundant.value++
    const { group } = node
    group.members = group.members.filter(member => member !== node)
    if (!node.decided) group.undecided--
    if (!node.sample.complete) group.open--
    node.decided = true
    if (group.members.length === 0) {
      group.gone = true
      groups--
    } else schedule(group)
    remove(node)
  }
  const settle = (node: TraceNode): void => {
    node.decided = true
    node.group.undecided--
    schedule(node.group)
  }

  const decide = (node: TraceNode, last: boolean): void => {
    if (node.decided || node.group.gone) return
    const { sample } = node
    if (options.redundant(sample)) {
      drop(node)
      return
    }
    const link = solver.solve(sample)
    noteFarEnd(sample, link)
    if (!last && options.awaitsEvidence?.(sample) === true) {
      toDecide.push({ node, dueNs: now + SETTLE_NS })
      return
    }
    if (link !== undefined && link.confidence >= confidenceFloor) {
      node.link = link
      const parent = nodeOf(link.parent)
      if (parent !== undefined) {
        const separate = parent.group !== node.group
        if (!attach(node, parent)) {
          circles.value++
          node.link = undefined
        } else if (separate) groups--
      } else if (link.parent.traceId !== '') node.exportedParent = link.parent
      else node.link = undefined
      settle(node)
      return
    }
    if (!last && !sample.complete) return
    if (!last && link === undefined && options.mayBindLater(sample)) {
      if (now - sample.endNs < REPLY_WAIT_NS) toDecide.push({ node, dueNs: now + SETTLE_NS })
      else settle(node)
      return
    }
    node.link = link
    settle(node)
  }

  /**
   * A request that nothing can join any more: this process has never called anybody, and whoever asks on this connection
   * is not watched, for it was not seen in requests before. Most requests to a busy web server are such; to let them go
   * at once instead of after the quiet time keeps them out of the old generation of V8's heap.
   */
  const nothingJoins = ({ kind, process, connection }: Sample): boolean =>
    kind === 'server' && connection.farEnd === 'unseen' && options.callsNobody?.(process) === true

  const leaveAtOnce = (node: TraceNode): boolean => {
    const { sample, group } = node
    if (node.decided || group.members.length > 1 || !nothingJoins(sample) || options.redundant(sample)) return false
    if (options.mayGainCalls?.(sample) === true || solver.solve(sample) !== undefined) return false
    node.decided = true
    group.undecided = 0
    release(group, false)
    return true
  }

  const release = (group: TraceGroup, incomplete: boolean): void => {
    group.gone = true
    groups--
    // The root has no parent in the group; anything that was cut loose is a root of its own.
    for (const root of group.members) {
      if (root.parent !== undefined) continue
      const ordered = preOrder(root)
      emit(builder.build(ordered, now, incomplete))
    }
    for (const node of group.members) remove(node)
  }

  const decideDue = (): void => {
    for (let due = toDecide.peek(); due !== undefined && due.dueNs <= now; due = toDecide.peek()) {
      toDecide.shift()
      decide(due.node, false)
    }
  }
  const mayGainCalls = (group: TraceGroup): boolean => {
    const ask = options.mayGainCalls
    return ask !== undefined && group.members.some(({ sample }) => sample.side === 'server' && ask(sample))
  }
  const releaseQuiet = (): void => {
    for (let due = toCheck.peek(); due !== undefined && due.dueNs <= now; due = toCheck.peek()) {
      toCheck.shift()
      const { group } = due
      group.scheduled = false
      if (group.gone || group.open > 0 || group.undecided > 0) continue
      if (group.lastNs + quietNs > now) schedule(group)
      else if (mayGainCalls(group)) {
        group.scheduled = true
        toCheck.push({ group, dueNs: now + SETTLE_NS })
      } else release(group, false)
    }
  }
  const releaseOld = (): void => {
    for (let node = byAge.peek(); node !== undefined; node = byAge.peek()) {
      const old = now - node.sample.startNs > longestNs
      if (!node.group.gone && !old && openSamples <= options.openLimit) return
      byAge.shift()
      if (node.group.gone) continue
      if (old) tooOld.value++
      else overLimit.value++
      for (const member of [...node.group.members]) if (!member.decided) decide(member, true)
      if (!node.group.gone) release(node.group, node.group.open > 0)
    }
  }

  return {
    begin: sample => {
      const node = createNode(sample)
      sample.node = node
      openSamples++
      groups++
      node.place = byAge.push(node)
      if (!nothingJoins(sample)) toDecide.push({ node, dueNs: now + SETTLE_NS })
    },
    complete: sample => {
      const node = nodeOf(sample)
      if (node === undefined) {
        afterExport.value++
        return
      }
      node.group.open--
      node.group.lastNs = Math.max(node.group.lastNs, sample.endNs)
      if (leaveAtOnce(node)) return
      if (!node.decided) toDecide.push({ node, dueNs: now + SETTLE_NS })
      schedule(node.group)
    },
    advance: nowNs => {
      if (nowNs <= now) return
      now = nowNs
      decideDue()
      releaseQuiet()
      releaseOld()
    },
    finish: () => {
      const due: TraceNode[] = []
      for (let next = toDecide.shift(); next !== undefined; next = toDecide.shift()) due.push(next.node)
      for (const node of due) decide(node, false)
      options.lastEvidence?.()
      for (let due = toDecide.shift(); due !== undefined; due = toDecide.shift()) decide(due.node, true)
      const left: TraceNode[] = []
      for (let node = byAge.shift(); node !== undefined; node = byAge.shift()) left.push(node)
      for (const node of left) if (!node.decided) decide(node, true)
      for (const node of left) if (!node.group.gone) release(node.group, node.group.open > 0)
    },
    get openSamples() {
      return openSamples
    },
    get openTraces() {
      return groups
    },
  }
}

/** Asked some time after a request began, when its caller's sample must have come if the caller is watched. */
function noteFarEnd({ kind, connection }: Sample, link: Link | undefined): void {
  if (kind !== 'server' || connection.transport !== 'tcp' || connection.keyHigh === 0) return
  if (link?.evidence === 'wire') connection.farEnd = 'seen'
  else if (connection.farEnd === 'undecided') connection.farEnd = 'unseen'
}
