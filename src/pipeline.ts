import type { EventSource } from './capture/event-source.js'
import type { ProcessContext } from './correlate/context-counts.js'
import type { EvidenceKind } from './correlate/link.js'
import type { Attributes } from './protocols/protocol.js'
import type { Counters } from './telemetry/counters.js'
import type { ProcessRootRules } from './traces/process-roots.js'
import type { TraceSink } from './traces/span.js'

/** How an observed service gets its name when discovery would say something else. First match wins. */
export interface ServiceRule {
  readonly name: string
  /** Glob on the executable's path, regular expression on the command line, listening port: all given must match. */
  readonly executable?: string
  readonly commandLine?: string
  readonly port?: number
}

export interface PipelineOptions {
  readonly source: EventSource
  readonly sinks: readonly TraceSink[]
  readonly counters: Counters
  /** Names of protocol modules that are switched off. */
  readonly disabledProtocols?: readonly string[]
  readonly serviceRules?: readonly ServiceRule[]
  /** Short-lived clients whose process is the root over its requests. Default: none. */
  readonly processRoots?: ProcessRootRules
  /** A trace is held until nothing has happened in it for this long. Default 2,000 ms. */
  readonly quietMillis?: number
  /** … or until it is this old. Default 60,000 ms. */
  readonly longestMillis?: number
  /** Below this confidence a guess becomes an OpenTelemetry link instead of a parent. Default 0.5. */
  readonly confidenceFloor?: number
  /** Most operations in flight before the oldest are given up (counted). Default 200,000. */
  readonly openLimit?: number
  /** Kinds of evidence that are asked. Default: all. What one kind gives is measured with the others off. */
  readonly evidence?: readonly EvidenceKind[]
  /** Live: how often the source is read while there is work, in ms. Default 8; up to eight times as long while idle. */
  readonly pollMillis?: number
  /** Set by the operator for every exported resource (resource.attributes). */
  readonly resourceAttributes?: Readonly<Attributes>
  /** Sees every batch before it is worked on: `record` writes it to a file. */
  readonly tap?: (batch: Uint8Array) => void
}

export interface PipelineStatus {
  readonly events: number
  readonly lostEvents: number
  readonly messages: number
  readonly samples: number
  readonly spans: number
  readonly traces: number
  readonly openConnections: number
  readonly openSamples: number
  readonly openTraces: number
}

/** The way of the data from a source to its sinks: the one place where the rooms are put together. */
export interface Pipeline {
  /** Reads and works through what the source has now; returns the number of records. Never waits. */
  step(): number
  /** Live: polls every few milliseconds until the signal; else until the source has ended. Then finishes. */
  run(signal?: AbortSignal): Promise<void>
  /** Lets everything that is still open leave, and flushes the sinks. */
  finish(): Promise<void>
  status(): PipelineStatus
  /** Name of the service that a process is or, a short while ago, was; undefined if nobody knows. */
  serviceOf(pid: number, port: number): string | undefined
  /** What context said of the calls of each living process. */
  context(): readonly ProcessContext[]
}
