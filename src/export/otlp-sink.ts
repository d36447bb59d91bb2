import { networkInterfaces } from 'node:os'
import type { Counter, Counters } from '../telemetry/counters.js'
import type { FinishedSpan, FinishedTrace, TraceSink } from '../traces/span.js'
import { type BackOff, createBackOff } from './back-off.js'
import { createSpanConverter, type ExportedSpan, type SpanConverter } from './exported-span.js'
import { listenToExporters } from './exporter-messages.js'
import { createLossNotices, type LossNotices } from './loss-notices.js'
import { createOtlpExporter, type OtlpExporter, type SendResult } from './otlp-exporter.js'
import type { OtlpFailure } from './otlp-failure.js'
import { type OtlpSinkOptions, otlpDefaults } from './otlp-options.js'
import { createTraceQueue, type TraceQueue } from './trace-queue.js'

export interface OtlpStatus {
  /** False from a failed request until the next one that succeeds. */
  readonly healthy: boolean
  /** Why the last failed request failed. */
  readonly lastFailure: string | undefined
  readonly queuedSpans: number
  /** In requests under way or waiting to be sent again. */
  readonly sendingSpans: number
}

export interface OtlpSink extends TraceSink {
  status(): OtlpStatus
}

/** Sends traces over OTLP; never blocks, never throws on what it is given, holds a bounded number of spans. */
export function createOtlpSink(options: OtlpSinkOptions): OtlpSink {
  return new QueuedOtlpSink(options)
}

type SettingName = Exclude<keyof typeof otlpDefaults, 'timeoutMillis'> | 'url' | 'warn' | 'clock' | 'random'

/** Spans of one request, in the shape they are sent in. */
interface Batch {
  readonly spans: ExportedSpan[]
  /** When it was first sent; undefined before. */
  firstMillis: number | undefined
}

/**
 * Waits for a batch to fill (or a moment to pass), keeps few requests under way, and after a failure sends one at a
 * time, ever more rarely, until one succeeds. While nothing can be sent the queue fills and loses its oldest traces.
 */
class QueuedOtlpSink implements OtlpSink {
  readonly #options: Required<Pick<OtlpSinkOptions, SettingName>>
  readonly #exporter: OtlpExporter
  readonly #queue: TraceQueue<ExportedSpan>
  readonly #converter: SpanConverter
  readonly #backOff: BackOff
  readonly #notices: LossNotices
  readonly #counters: SinkCounters
  readonly #stopListening: () => void
  readonly #underWay = new Set<Batch>()
  /** Failed before, or halves of one that was too large: sent before anything from the queue. */
  #again: Batch[] = []
  #batchLimit: number
  #sentSinceSplit = 0
  #notBefore = Number.NEGATIVE_INFINITY
  #lingerOver = false
  #lingerTimer: NodeJS.Timeout | undefined
  #retryTimer: NodeJS.Timeout | undefined
  #lastFailure: string | undefined
  #toldFailing = false
  #toldFailingMillis = Number.NEGATIVE_INFINITY
  #clamped = 0
  #flushing: (() => void)[] = []
  #closing: Promise<void> | undefined

  constructor(options: OtlpSinkOptions) {
    const settings = {
      ...otlpDefaults,
      warn: () => {},
      clock: () => performance.now(),
      random: Math.random,
      ...options,
    }
    this.#options = settings
    this.#exporter = createOtlpExporter(options, options.version)
    this.#queue = createTraceQueue(settings.queueSpans)
    this.#converter = createSpanConverter({
      version: options.version,
      hostAddress: options.hostAddress ?? firstAddress(),
      ...(options.attributeLimits && { limits: options.attributeLimits }),
    })
    this.#counters = createSinkCounters(options.counters)
    this.#batchLimit = settings.batchSpans
    this.#backOff = createBackOff({
      firstMillis: settings.backOffMillis,
      longestMillis: settings.longestBackOffMillis,
      random: settings.random,
    })
    const where = `OTLP export to ${options.url}`
    this.#notices = createLossNotices({ ...settings, where, intervalMillis: settings.noticeMillis })
    this.#stopListening = listenToExporters({
      partialSuccess: (rejected, message) => {
        this.#counters.rejected.value += rejected
        if (rejected === 0) settings.warn(`${where}: the receiver says: ${message}`)
        else this.#notices.lost(`rejected by the receiver: ${message.slice(0, 200)}`, rejected)
      },
      warning: message => settings.warn(`${where}: ${message}`),
    })
  }

  accept(trace: FinishedTrace): void {
    if (this.#closing !== undefined) {
      this.#lose('closed', trace.spans.length)
      return
    }
    if (!trace.spans.every(hasIds)) {
      this.#lose('zeroId', trace.spans.length)
      return
    }
    // What waits is what will be sent: the rest of the finished spans is garbage while it is young.
    const dropped = this.#queue.add({ spans: trace.spans.map(span => this.#converter.convert(span)) })
    if (dropped.spans > 0) {
      this.#counters.droppedTraces.value += dropped.traces
      this.#lose('queueFull', dropped.spans)
    }
    if (this.#queue.spans >= this.#batchLimit) this.#pump()
    else this.#linger()
  }

  status(): OtlpStatus {
    return {
      healthy: this.#backOff.failures === 0,
      lastFailure: this.#lastFailure,
      queuedSpans: this.#queue.spans,
      sendingSpans: spansIn(this.#underWay) + spansIn(this.#again),
    }
  }

  async flush(): Promise<void> {
    if (this.#isEmpty()) return
    this.#notBefore = Number.NEGATIVE_INFINITY
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>(resolve => {
      this.#flushing.push(resolve)
      timer = setTimeout(() => this.#giveUp(), this.#options.flushMillis)
      this.#pump()
    })
    clearTimeout(timer)
  }

  close(): Promise<void> {
    this.#closing ??= this.flush().then(() => {
      clearTimeout(this.#lingerTimer)
      clearTimeout(this.#retryTimer)
      this.#notices.close()
      this.#stopListening()
      this.#exporter.close()
    })
    return this.#closing
  }

  #isEmpty(): boolean {
    return this.#queue.spans === 0 && this.#underWay.size === 0 && this.#again.length === 0
  }

  #linger(): void {
    if (this.#lingerTimer !== undefined || this.#lingerOver || this.#queue.spans === 0) return
    this.#lingerTimer = setTimeout(() => {
      this.#lingerTimer = undefined
      this.#lingerOver = true
      this.#pump()
    }, this.#options.lingerMillis).unref()
  }

  /** Sends what is due and fits. */
  #pump(): void {
    const most = this.#backOff.failures > 0 ? 1 : this.#options.requestsInFlight
    while (this.#underWay.size < most && this.#options.clock() >= this.#notBefore) {
      const batch = this.#again.shift() ?? this.#nextBatch()
      if (batch === undefined) break
      void this.#send(batch)
    }
    if (!this.#isEmpty()) this.#linger()
    else for (const resolve of this.#flushing.splice(0)) resolve()
  }

  #nextBatch(): Batch | undefined {
    const due = this.#queue.spans >= this.#batchLimit || this.#lingerOver || this.#flushing.length > 0
    if (!due || this.#queue.spans === 0) return undefined
    const spans = this.#queue.take(this.#batchLimit)
    if (this.#queue.spans < this.#batchLimit) this.#lingerOver = false
    this.#counters.clamped.value += this.#converter.clamped - this.#clamped
    this.#clamped = this.#converter.clamped
    return { spans, firstMillis: undefined }
  }

  async #send(batch: Batch): Promise<void> {
    batch.firstMillis ??= this.#options.clock()
    this.#underWay.add(batch)
    const result = await this.#exporter.send(batch.spans)
    // Given up meanwhile: counted as lost already.
    if (!this.#underWay.delete(batch)) return
    this.#settle(batch, result)
    this.#pump()
  }

  #settle(batch: Batch, result: SendResult): void {
    if (result.kind === 'sent') {
      this.#succeeded(batch)
      return
    }
    this.#lastFailure = result.reason
    if (result.kind === 'tooLarge') {
      this.#split(batch)
      return
    }
    if (this.#backOff.failures === 0) this.#tellFailing(result.reason)
    this.#counters.failures.value++
    this.#wait(result)
    if (result.kind === 'refused') this.#lose('refused', batch.spans.length)
    else if (this.#options.clock() - batch.firstMillis! >= this.#options.retryMillis) {
      this.#lose('retryTime', batch.spans.length)
    } else {
      this.#counters.retries.value++
      this.#again.push(batch)
    }
  }

  /** A receiver that comes and goes is told of once per interval. */
  #tellFailing(reason: string): void {
    const now = this.#options.clock()
    if (now - this.#toldFailingMillis < this.#options.noticeMillis) return
    this.#toldFailingMillis = now
    this.#toldFailing = true
    this.#options.warn(`OTLP export to ${this.#options.url} fails, spans wait: ${reason}`)
  }

  #succeeded(batch: Batch): void {
    if (this.#toldFailing) this.#options.warn(`OTLP export to ${this.#options.url} works again`)
    this.#toldFailing = false
    this.#backOff.succeeded()
    this.#counters.spans.value += batch.spans.length
    this.#counters.requests.value++
    // After many requests of the smaller size the spans may have become smaller too.
    if (this.#batchLimit < this.#options.batchSpans && ++this.#sentSinceSplit >= 100) {
      this.#batchLimit = Math.min(this.#batchLimit * 2, this.#options.batchSpans)
      this.#sentSinceSplit = 0
    }
  }

  #split(batch: Batch): void {
    const half = Math.ceil(batch.spans.length / 2)
    if (batch.spans.length === 1) {
      this.#lose('tooLarge', 1)
      return
    }
    this.#counters.splits.value++
    this.#batchLimit = Math.min(this.#batchLimit, half)
    this.#sentSinceSplit = 0
    const { firstMillis } = batch
    this.#again.unshift(
      { spans: batch.spans.slice(0, half), firstMillis },
      { spans: batch.spans.slice(half), firstMillis },
    )
  }

  #wait(failure: OtlpFailure): void {
    const millis = this.#backOff.failed(failure.kind === 'retry' ? failure.afterMillis : undefined)
    this.#notBefore = this.#options.clock() + millis
    clearTimeout(this.#retryTimer)
    // A timer may ring a little early by our clock.
    this.#retryTimer = setTimeout(() => this.#pump(), Math.ceil(millis) + 1)
    // While somebody waits for a flush the process has to stay.
    if (this.#flushing.length === 0) this.#retryTimer.unref()
  }

  /** The deadline of a flush: all that is here is lost, though a request under way may still arrive. */
  #giveUp(): void {
    this.#lose('deadline', this.#queue.clear().spans + spansIn(this.#underWay) + spansIn(this.#again))
    this.#underWay.clear()
    this.#again = []
    for (const resolve of this.#flushing.splice(0)) resolve()
  }

  #lose(cause: LossCause, spans: number): void {
    this.#counters.lost[cause].value += spans
    this.#notices.lost(lossCauses[cause].told, spans)
  }
}

const lossCauses = {
  queueFull: { counter: 'export.otlp.dropped.queue_full', told: 'the queue was full' },
  refused: { counter: 'export.otlp.dropped.refused', told: 'refused by the receiver' },
  retryTime: { counter: 'export.otlp.dropped.retry_time', told: 'given up after many attempts' },
  tooLarge: { counter: 'export.otlp.dropped.too_large', told: 'a span larger than the receiver takes' },
  deadline: { counter: 'export.otlp.dropped.deadline', told: 'not sent before the deadline for closing' },
  closed: { counter: 'export.otlp.dropped.closed', told: 'came after closing' },
  zeroId: { counter: 'export.otlp.dropped.zero_id', told: 'no valid id' },
} as const
type LossCause = keyof typeof lossCauses

/** Names are listed in this folder's README. */
interface SinkCounters {
  readonly spans: Counter
  readonly requests: Counter
  readonly failures: Counter
  readonly retries: Counter
  readonly splits: Counter
  readonly rejected: Counter
  readonly clamped: Counter
  readonly droppedTraces: Counter
  readonly lost: Readonly<Record<LossCause, Counter>>
}

function createSinkCounters(counters: Counters): SinkCounters {
  const lost = Object.fromEntries(
    Object.entries(lossCauses).map(([cause, { counter }]) => [cause, counters.counter(counter)]),
  ) as Record<LossCause, Counter>
  return {
    spans: counters.counter('export.otlp.spans'),
    requests: counters.counter('export.otlp.requests'),
    failures: counters.counter('export.otlp.failures'),
    retries: counters.counter('export.otlp.retries'),
    splits: counters.counter('export.otlp.splits'),
    rejected: counters.counter('export.otlp.dropped.rejected'),
    clamped: counters.counter('export.otlp.clamped.end_before_start'),
    droppedTraces: counters.counter('export.otlp.dropped_traces.queue_full'),
    lost,
  }
}

/** The machine's first address beyond loopback, IPv4 before IPv6. */
function firstAddress(): string {
  const all = Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(({ internal }) => !internal)
  return (all.find(({ family }) => family === 'IPv4') ?? all[0])?.address ?? '127.0.0.1'
}

const zeroTrace = '0'.repeat(32)
const zeroSpan = '0'.repeat(16)

/** The specification forbids ids of zeros; receivers take them and make one trace of them all. */
function hasIds(span: FinishedSpan): boolean {
  return (
    span.traceId.length === 32 &&
    span.traceId !== zeroTrace &&
    span.spanId.length === 16 &&
    span.spanId !== zeroSpan &&
    (span.parentSpanId === undefined || (span.parentSpanId.length === 16 && span.parentSpanId !== zeroSpan))
  )
}

function spansIn(batches: Iterable<Batch>): number {
  let sum = 0
  for (const batch of batches) sum += batch.spans.length
  return sum
}
