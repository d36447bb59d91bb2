import { createCaptureClock } from '../capture/capture-clock.js'
import { decodeConnection } from '../capture/connection-record.js'
import { CLOSE, CONNECTION, DATA, HEADER, Op, PROCESS, RECORD_ALIGNMENT, TASK } from '../capture/event-layout.js'
import { type EventHandler, EventReader } from '../capture/event-reader.js'
import type { CaptureOrigin } from '../capture/event-source.js'
import type { ProcessInfo } from '../capture/process-info.js'
import { createProcesses } from '../capture/processes.js'
import type { ProtocolModule } from '../protocols/protocol.js'
import { MaskedConnection } from './masked-connection.js'
import { maskProcess } from './process-mask.js'
import { createPseudonyms, type Pseudonyms, UNREAD } from './pseudonyms.js'

/** Makes the form of a capture that may be shared: the same records without what values say. */
export interface Redactor {
  /**
   * A copy of a batch of records: the same records of the same sizes, times, ids, positions and lengths, with payloads
   * masked. Batches must come in their order, from the capture's beginning. Never throws on what a batch holds.
   */
  redact(batch: Uint8Array): Uint8Array
}

export interface RedactorOptions {
  readonly origin: CaptureOrigin
  /** Every protocol that a replay may read. */
  readonly modules: readonly ProtocolModule[]
  /** At least 16 random bytes, of this recording alone, to be kept nowhere. */
  readonly key: Uint8Array
  /** Most connections followed at once; of those beyond it everything is blanked. */
  readonly connectionLimit?: number
}

const DEFAULT_CONNECTION_LIMIT = 200_000
/** Bytes of a record, by its kind, that hold no content; of all others only the header. */
const FIXED = new Map<number, number>([
  [Op.send, DATA.bytes],
  [Op.receive, DATA.bytes],
  [Op.connect, CONNECTION.bytes],
  [Op.connection, CONNECTION.bytes],
  [Op.close, CLOSE.bytes],
  [Op.fork, PROCESS.bytes],
  [Op.exec, PROCESS.bytes],
  [Op.exit, PROCESS.bytes],
  [Op.taskBirth, TASK.bytes],
])
const SPACE = 0x20
/** Names of causes of loss, see src/telemetry/counters.ts. */
const CAUSE = /^[a-z0-9_.]{1,64}$/

export function createRedactor(options: RedactorOptions): Redactor {
  return new BatchRedactor(options)
}

class BatchRedactor implements Redactor, EventHandler {
  readonly #reader: EventReader
  readonly #modules: readonly ProtocolModule[]
  readonly #pseudonyms: Pseudonyms
  readonly #limit: number
  readonly #processes = createProcesses()
  readonly #connections = new Map<number, MaskedConnection>()
  #out: Uint8Array = new Uint8Array(0)

  constructor({ origin, modules, key, connectionLimit = DEFAULT_CONNECTION_LIMIT }: RedactorOptions) {
    this.#reader = new EventReader(createCaptureClock(origin))
    this.#modules = modules
    this.#pseudonyms = createPseudonyms(key)
    this.#limit = connectionLimit
  }

  redact(batch: Uint8Array): Uint8Array {
    this.#out = framesOf(batch)
    this.#reader.read(batch, this)
    return this.#out
  }

  data(record: EventReader): void {
    this.#connections.get(record.connection)?.data(record, this.#out)
  }

  connection(record: EventReader): void {
    const process = this.#processes.get(record.pid)
    const { id, role, local, midlife } = decodeConnection(record, process)
    const known = this.#connections.get(id)
    if (known !== undefined) {
      // Seen before: connect, then its first bytes.
      if (role !== 'unknown' && !known.recognised) known.role = role
      return
    }
    if (this.#connections.size >= this.#limit) this.#evict()
    const isListener = role === 'unknown' && process.info?.listens?.includes(local.port) === true
    const connection = new MaskedConnection(isListener ? 'server' : role, midlife, this.#modules, this.#pseudonyms)
    this.#connections.set(id, connection)
  }

  close(record: EventReader): void {
    this.#connections.get(record.connection)?.close()
    this.#connections.delete(record.connection)
  }

  process(record: EventReader): void {
    if (record.op === Op.fork) this.#processes.forked(record.pid, '')
    else if (record.op === Op.exec) this.#processes.replaced(record.pid, '')
    else if (record.tid === record.pid) this.#processes.ended(record.pid, record.timeNs)
  }

  taskBirth(): void {}

  text(record: EventReader, json: string): void {
    const value = parsed(json)
    const masked = record.op === Op.processInfo ? this.#processText(record.pid, value) : lossText(value)
    const at = record.offset + HEADER.bytes
    const size = record.u32(HEADER.size) - HEADER.bytes
    const bytes = new TextEncoder().encode(masked ?? '')
    // JSON may end in blanks: the record keeps its size.
    if (masked === undefined || bytes.length > size) return
    this.#out.fill(SPACE, at, at + size)
    this.#out.set(bytes, at)
  }

  #processText(pid: number, value: unknown): string | undefined {
    if (!isProcessInfo(value)) return undefined
    this.#processes.describe(pid, value)
    return JSON.stringify(maskProcess(value))
  }

  #evict(): void {
    const [id, oldest] = this.#connections.entries().next().value!
    oldest.close()
    this.#connections.delete(id)
  }
}

/** The batch with all contents blanked: payloads, texts, what is between the records and what is of no known kind. */
function framesOf(batch: Uint8Array): Uint8Array {
  const out = new Uint8Array(batch.length)
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  let at = 0
  while (at + HEADER.bytes <= batch.length) {
    const size = view.getUint32(at + HEADER.size, true)
    if (size < HEADER.bytes || at + size > batch.length) break
    const fixed = Math.min(size, FIXED.get(batch[at + HEADER.op]!) ?? HEADER.bytes)
    out.set(batch.subarray(at, at + fixed), at)
    out.fill(UNREAD, at + fixed, at + size)
    at += (size + RECORD_ALIGNMENT - 1) & -RECORD_ALIGNMENT
  }
  // Damaged from here on: a reader stops where this does.
  out.fill(0xff, Math.min(at, out.length))
  return out
}

function lossText(value: unknown): string | undefined {
  const { cause, count } = (value ?? {}) as { cause?: unknown; count?: unknown }
  if (typeof cause !== 'string' || !CAUSE.test(cause) || typeof count !== 'number') return undefined
  return JSON.stringify({ cause, count })
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function isProcessInfo(value: unknown): value is ProcessInfo {
  if (typeof value !== 'object' || value === null) return false
  const info = value as Partial<Record<keyof ProcessInfo, unknown>>
  const { commandLine, listens } = info
  return (
    [info.pid, info.parent, info.startNs, info.user].every(field => typeof field === 'number') &&
    [info.comm, info.exe, info.cgroup].every(field => typeof field === 'string') &&
    [info.unit, info.container].every(field => field === undefined || typeof field === 'string') &&
    Array.isArray(commandLine) &&
    commandLine.every(word => typeof word === 'string') &&
    Array.isArray(listens) &&
    listens.every(port => typeof port === 'number')
  )
}
