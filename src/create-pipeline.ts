import { createCaptureClock } from './capture/capture-clock.js'
import { EventReader } from './capture/event-reader.js'
import { createProcesses } from './capture/processes.js'
import { createContentEvidence } from './correlate/content-evidence.js'
import { createContextCounts } from './correlate/context-counts.js'
import { createContextEvidence } from './correlate/context-evidence.js'
import { createForwardEvidence } from './correlate/forward-evidence.js'
import { type EvidenceSource, evidenceKinds } from './correlate/link.js'
import { createSolver } from './correlate/solver.js'
import { createTimeEvidence } from './correlate/time-evidence.js'
import { createWireEvidence } from './correlate/wire-evidence.js'
import type { Pipeline, PipelineOptions } from './pipeline.js'
import { createRouteTemplates } from './protocols/learned-route-templates.js'
import { createOpenstackRoutes } from './protocols/openstack/openstack-routes.js'
import { protocolModules } from './protocols/registry.js'
import type { RouteTemplates } from './protocols/route-templates.js'
import { mayLiveOn } from './samples/activity.js'
import { createCarriers } from './samples/carriers.js'
import { ConnectionDriver } from './samples/connection-driver.js'
import { createMessageBacklog } from './samples/message-backlog.js'
import { createRemoteCalls } from './samples/remote-calls.js'
import type { Sample } from './samples/sample.js'
import { createSampleRecorder } from './samples/sample-recorder.js'
import { createServiceNames } from './samples/service-names.js'
import { createServicesByPid } from './samples/services-by-pid.js'
import { createAssembler } from './traces/assembler.js'
import { createProcessRoots } from './traces/process-roots.js'
import { createResourceTable } from './traces/resources.js'
import { createTraceBuilder } from './traces/trace-builder.js'
import { version } from './version.js'

/** Between two looks at the ring, which wakes nobody: while there is work, and when there has been none for a while. */
const DEFAULT_POLL_MILLIS = 8
const IDLE_FACTOR = 16
/** Read in one turn of the event loop: what comes of it is on its way to the receiver before more is made. */
const TURN_BYTES = 512 * 1024
/** Most services whose route templates are kept apart; beyond it, new ones share one table. */
const ROUTE_TABLES = 1_000

/** How long they wait for that. */
const LEARNING_NS = 4e9

const MILLION = 1e6

/** Puts the rooms together: source → driver → samples → evidence → traces → sinks. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { source, sinks, counters } = options
  const clock = createCaptureClock(source.origin)
  const record = new EventReader(clock)
  const processes = createProcesses()
  const carriers = createCarriers()
  const backlog = createMessageBacklog()
  const contextCounts = createContextCounts()
  const wire = createWireEvidence()
  const services = createServiceNames(options.serviceRules)
  const servicesByPid = createServicesByPid({ processes, services, describe: pid => source.describe?.(pid) })
  const asked = new Set(options.evidence ?? evidenceKinds)
  const mayBindLater = (sample: Sample): boolean =>
    sample.side === 'client' && asked.has('context') && carriers.bindsByReply(sample.process)
  const time = createTimeEvidence({
    counters,
    serviceOf: process => services.nameOf(process, 0),
    mayBindLater,
    besideContext: asked.has('context'),
  })
  const roots = createProcessRoots({
    rules: options.processRoots ?? { programs: [], commandLines: [] },
    host: source.origin.host,
    baseNs: Number(source.origin.monotonicBaseNs),
    begin: root => assembler.begin(root),
    complete: root => assembler.complete(root),
  })
  // Time comes last: it looks at what the others have said.
  const sources: readonly EvidenceSource[] = [
    wire,
    createContextEvidence(backlog, contextCounts),
    roots,
    createContentEvidence(),
    createForwardEvidence(() => record.lossEpoch),
    time,
  ]
  const evidence = sources.filter(({ kind }) => asked.has(kind))
  const disabled = new Set(options.disabledProtocols)
  const modules = protocolModules.filter(module => !disabled.has(module.name))
  const leaves = new Set(modules.filter(module => module.leaf).map(module => module.name))
  let spans = 0
  let traces = 0
  let nowNs = 0
  /** The first links of a pool wait until it has shown how it works. */
  const learns = (sample: Sample): boolean =>
    asked.has('context') && nowNs - sample.endNs < LEARNING_NS && carriers.learns(sample)

  const livesOn = (call: Sample): boolean => asked.has('context') && mayLiveOn(call, nowNs)

  const assembler = createAssembler({
    solver: createSolver(evidence),
    builder: createTraceBuilder({
      clock,
      services,
      resources: createResourceTable({ host: source.origin.host, version, extra: options.resourceAttributes ?? {} }),
    }),
    counters,
    emit: trace => {
      traces++
      spans += trace.spans.length
      for (const sink of sinks) sink.accept(trace)
    },
    redundant: sample => {
      if (sample.connection.role !== 'server' || !leaves.has(sample.exchange.protocol)) return false
      const seen = wire.otherEnd(sample) !== undefined
      if (seen) driver.farEndIsSeen(sample.connection)
      // What a broker hands on is told by the consumer; seen from the broker alone it is nobody's work.
      return seen || sample.side === 'client'
    },
    forget: sample => {
      for (const kind of evidence) kind.forget?.(sample)
    },
    mayBindLater,
    awaitsEvidence: call => time.awaits(call) || (call.side === 'client' && (learns(call) || livesOn(call))),
    mayGainCalls: request => time.holds(request) || learns(request),
    callsNobody: process => carriers.callsNobody(process),
    lastEvidence: () => time.finish(),
    quietNs: (options.quietMillis ?? 2_000) * MILLION,
    longestNs: (options.longestMillis ?? 60_000) * MILLION,
    confidenceFloor: options.confidenceFloor ?? 0.5,
    openLimit: options.openLimit ?? 200_000,
  })
  const recorder = createSampleRecorder({
    record,
    processes,
    carriers,
    remoteCalls: createRemoteCalls(carriers, backlog),
    listener: {
      begin: (sample: Sample) => {
        for (const kind of evidence) kind.begin?.(sample)
        assembler.begin(sample)
      },
      keyed: (sample: Sample) => {
        for (const kind of evidence) kind.keyed?.(sample)
      },
      requested: (sample: Sample) => {
        for (const kind of evidence) kind.requested?.(sample)
      },
      complete: (sample: Sample) => {
        for (const kind of evidence) kind.complete?.(sample)
        assembler.complete(sample)
      },
    },
  })
  const routeTables = new Map<string, RouteTemplates>()
  const driver: ConnectionDriver = new ConnectionDriver({
    modules,
    processes,
    carriers,
    recorder,
    processEnded: (process, timeNs) => {
      servicesByPid.ended(process)
      roots.ended(process, timeNs)
    },
    control: source.control,
    counters,
    routes: endpoint => {
      const key = routeTables.has(endpoint) || routeTables.size < ROUTE_TABLES ? endpoint : ''
      const known = routeTables.get(key)
      if (known !== undefined) return known
      const table = createOpenstackRoutes(Number(key.slice(key.lastIndexOf(':') + 1)), createRouteTemplates())
      routeTables.set(key, table)
      return table
    },
  })

  const advance = (timeNs: number): void => {
    nowNs = timeNs
    time.advance(timeNs)
    assembler.advance(timeNs)
  }
  let bytes = 0
  const step = (): number => {
    const batch = source.read()
    if (batch === undefined) return 0
    bytes += batch.length
    options.tap?.(batch)
    const read = record.read(batch, driver)
    advance(record.timeNs)
    return read
  }
  const finish = async (): Promise<void> => {
    driver.finish()
    assembler.finish()
    await Promise.all(sinks.map(sink => sink.flush()))
  }
  return {
    step,
    finish,
    run: async signal => {
      if (source.kind === 'live') await runLive(signal)
      else await runThrough(signal)
      await finish()
    },
    context: () => contextCounts.list(),
    status: () => ({
      events: record.events,
      lostEvents: lost(counters.snapshot('capture.lost.')),
      messages: recorder.samples,
      samples: recorder.samples,
      spans,
      traces,
      openConnections: driver.openConnections,
      openSamples: assembler.openSamples,
      openTraces: assembler.openTraces,
    }),
    serviceOf: (pid, port) => servicesByPid.nameOf(pid, port),
  }

  /** Reads until the source has nothing more, or enough for one turn. */
  function drain(): { worked: number; more: boolean } {
    const end = bytes + TURN_BYTES
    let worked = 0
    while (bytes < end) {
      const read = step()
      if (read === 0) return { worked, more: false }
      worked += read
    }
    return { worked, more: true }
  }

  async function runLive(signal: AbortSignal | undefined): Promise<void> {
    const busyMillis = options.pollMillis ?? DEFAULT_POLL_MILLIS
    let idleMillis = busyMillis
    let workedAt = performance.now()
    let eventNs = record.timeNs
    while (signal?.aborted !== true && !source.ended) {
      const { worked, more } = drain()
      const at = performance.now()
      if (worked > 0) {
        workedAt = at
        eventNs = record.timeNs
        idleMillis = busyMillis
      } else {
        // Time goes on when nothing happens, so that the last traces do not wait for the next event.
        advance(eventNs + (at - workedAt) * MILLION)
        idleMillis = Math.min(busyMillis * IDLE_FACTOR, idleMillis * 2)
      }
      if (more) await turn()
      else await pause(idleMillis, signal)
    }
    // What the kernel still holds belongs to the capture.
    while (step() > 0);
  }

  async function runThrough(signal: AbortSignal | undefined): Promise<void> {
    let batches = 0
    while (!source.ended && signal?.aborted !== true) {
      step()
      // Sinks send while the replay goes on.
      if (++batches % 64 === 0) await pause(0, undefined)
    }
  }
}

/** Lets timers and sockets have their turn. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function pause(millis: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, millis)
    signal?.addEventListener('abort', done, { once: true })
  })
}

function lost(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
