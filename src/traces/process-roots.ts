import type { Connection } from '../capture/connection.js'
import type { ObservedProcess } from '../capture/processes.js'
import { globPattern } from '../capture/selection.js'
import type { Evidence, EvidenceSource } from '../correlate/link.js'
import { Attribute } from '../protocols/attribute-names.js'
import type { Exchange } from '../protocols/protocol.js'
import { ownerOf } from '../samples/activity.js'
import type { Sample } from '../samples/sample.js'
import { argumentsOf, programName } from '../samples/service-names.js'
import { mix64 } from '../samples/wire-key.js'
import { describeCommand } from './client-command.js'

/** Which processes are roots of what they ask for. */
export interface ProcessRootRules {
  /** Globs on the name of the program; of an interpreter, of the script it runs. */
  readonly programs: readonly string[]
  /** Regular expressions, searched in the command line, arguments joined by blanks. */
  readonly commandLines: readonly string[]
}

/**
 * A command-line client asks many services in the name of one command: its process is the root over its requests. Only
 * programs that rules name, since a long-lived client's requests have nothing to do with each other.
 */
export interface ProcessRoots extends EvidenceSource {
  /** A process has ended, at ns since the capture's base. */
  ended(process: ObservedProcess, timeNs: number): void
}

export interface ProcessRootOptions {
  readonly rules: ProcessRootRules
  readonly host: string
  /** CLOCK_MONOTONIC at the capture's base, ns. */
  readonly baseNs: number
  readonly begin: (root: Sample) => void
  readonly complete: (root: Sample) => void
}

/** One of their runs makes thousands of requests that are each a user's of its own. */
const NEVER =
  /^(tempest|stestr|ostestr|testr|subunit.*|pytest|py\.test|nose2?|unittest|tox|nox|rally|ab|wrk2?|hey|k6|locust|jmeter|siege|vegeta|httperf|h2load|oha|bombardier|gatling|artillery|autocannon)$/
const MOST_ROOTS = 10_000

interface KnownProcess {
  readonly generation: number
  root: Sample | undefined
}

export function createProcessRoots(options: ProcessRootOptions): ProcessRoots {
  const programs = options.rules.programs.map(globPattern)
  const commandLines = options.rules.commandLines.map(pattern => new RegExp(pattern))
  const known = new WeakMap<ObservedProcess, KnownProcess>()
  const open = new Set<ObservedProcess>()
  let serial = 0

  const isClient = ({ info, comm }: ObservedProcess): boolean => {
    const program = info === undefined ? comm : programName(info)
    if (program === '' || NEVER.test(program) || (info !== undefined && info.listens.length > 0)) return false
    if (programs.some(pattern => pattern.test(program))) return true
    return info !== undefined && commandLines.some(pattern => pattern.test(info.commandLine.join(' ')))
  }
  const rootOf = (process: ObservedProcess, firstNs: number): Sample | undefined => {
    const { generation } = process
    const before = known.get(process)
    if (before?.generation === generation) return before.root
    const isOne = open.size < MOST_ROOTS && isClient(process)
    const root = isOne ? createRoot(process, firstNs, options, --serial) : undefined
    // What a process is may become known only later, from /proc.
    if (root !== undefined || process.info !== undefined) known.set(process, { generation, root })
    if (root !== undefined) {
      open.add(process)
      options.begin(root)
    }
    return root
  }
  return {
    kind: 'context',
    begin: sample => {
      if (sample.side === 'client') rootOf(sample.process, sample.startNs)
    },
    candidates: (sample, out: Evidence[]) => {
      if (sample.side !== 'client' || ownerOf(sample.activity) !== undefined) return
      const root = known.get(sample.process)?.root
      if (root !== undefined) out.push({ kind: 'context', parent: root, strength: 1 })
    },
    ended: (process, timeNs) => {
      const root = known.get(process)?.root
      if (root === undefined || !open.delete(process)) return
      root.endNs = Math.max(root.startNs, timeNs)
      root.complete = true
      options.complete(root)
    },
  }
}

function createRoot(process: ObservedProcess, firstNs: number, options: ProcessRootOptions, serial: number): Sample {
  const { info, pid } = process
  // The start of a process is known to a hundredth of a second.
  const startNs = info === undefined ? firstNs : Math.min(firstNs, info.startNs - options.baseNs)
  const key = mix64([...words(options.host), pid, ...halves(info?.startNs ?? firstNs + options.baseNs)])
  return {
    serial,
    side: 'client',
    kind: 'internal',
    exchange: exchangeOf(process),
    connection: nowhere(process),
    process,
    service: '',
    tid: pid,
    carrier: 0,
    activity: undefined,
    contextTrust: 1,
    wireHigh: key.high,
    wireLow: key.low,
    requestPosition: 0,
    ordinal: 0,
    startNs,
    requestEndNs: startNs,
    responseStartNs: Number.NaN,
    endNs: startNs,
    requestBytes: 0,
    responseBytes: 0,
    responseObserved: true,
    complete: false,
    traceId: '',
    answers: undefined,
    spanId: '',
    node: undefined,
  }
}

function exchangeOf({ info, comm, pid }: ObservedProcess): Exchange {
  const program = info === undefined ? comm : programName(info)
  const command = describeCommand(program, info === undefined ? [] : argumentsOf(info))
  return {
    protocol: 'process',
    initiator: 'client',
    shape: 'call',
    name: command.name,
    attributes: {
      [Attribute.processPid]: pid,
      ...(info === undefined ? {} : { [Attribute.processCommandLine]: command.commandLine }),
    },
    clientError: undefined,
    serverError: undefined,
    contentKeys: [],
    truncated: false,
    housekeeping: false,
    requestBodyBytes: undefined,
    responseBodyBytes: undefined,
    tag: 0,
    follower: undefined,
  }
}

const NO_ENDPOINT = { address: '', port: 0 } as const

/** A process is no operation on a connection. */
function nowhere(process: ObservedProcess): Connection {
  return {
    id: 0,
    transport: 'unix',
    local: NO_ENDPOINT,
    remote: NO_ENDPOINT,
    role: 'client',
    roleGuessed: false,
    keyLow: 0,
    keyHigh: 0,
    ownsLow: false,
    localIdentity: 0,
    remoteIdentity: 0,
    midlife: false,
    farEnd: 'undecided',
    process,
  }
}

function words(text: string): number[] {
  const bytes = Buffer.from(text)
  const result = [bytes.length]
  for (let i = 0; i < bytes.length; i += 4) {
    result.push(
      (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24),
    )
  }
  return result
}

const halves = (value: number): [number, number] => [value | 0, Math.floor(value / 4_294_967_296)]
