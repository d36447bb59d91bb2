import { createCaptureClock } from '../capture/capture-clock.js'
import { CONNECTION, HEADER, Op, RECORD_ALIGNMENT, WireRole } from '../capture/event-layout.js'
import { type EventHandler, EventReader, encodeTextRecord } from '../capture/event-reader.js'
import type { CaptureOrigin } from '../capture/event-source.js'
import type { ProcessInfo } from '../capture/process-info.js'
import type { ProtocolModule, Sender } from '../protocols/protocol.js'
import { createAmqpMasks } from './amqp-mask.js'
import { type ByteMask, type ConnectionMasks, createDisguise, MASKED, type MaskOptions } from './byte-mask.js'
import { createHttpMasks } from './http-mask.js'
import { createMemcachedMasks } from './memcached-mask.js'
import { createMysqlMasks } from './mysql-mask.js'
import { redactProcess } from './process-redaction.js'
import { createRedisMasks } from './redis-mask.js'

/** Makes the redacting form of a capture: same records, same lengths, same times, without what values say. */
export interface Redactor {
  /** A redacted copy of a batch of records. Batches must come in their order. */
  redact(batch: Uint8Array): Uint8Array
}

export interface RedactorOptions {
  readonly origin: CaptureOrigin
  readonly modules: readonly ProtocolModule[]
  /** Random, different for each recording, and kept nowhere. */
  readonly key: readonly [number, number]
  /** Most connections that are followed; beyond it the oldest are masked whole. Default 100,000. */
  readonly connectionLimit?: number
}

/** A protocol without a mask of its own is masked whole. */
const MASKS: Readonly<Record<string, (options: MaskOptions) => ConnectionMasks>> = {
  http: createHttpMasks,
  mysql: createMysqlMasks,
  amqp: createAmqpMasks,
  redis: createRedisMasks,
  memcached: createMemcachedMasks,
}

const DEFAULT_CONNECTION_LIMIT = 100_000
const TWO_32 = 4_294_967_296

export function createRedactor(options: RedactorOptions): Redactor {
  return new BatchRedactor(options)
}

interface Followed {
  role: 'client' | 'server' | 'unknown'
  masks: ConnectionMasks | undefined
  /** Stream positions that come next, modulo 2^32. */
  readonly expected: { client: number | undefined; server: number | undefined }
}

class BatchRedactor implements Redactor, EventHandler {
  readonly #options: RedactorOptions
  readonly #reader: EventReader
  readonly #connections = new Map<number, Followed>()
  #pieces: Uint8Array[] = []
  #from = 0

  constructor(options: RedactorOptions) {
    this.#options = options
    this.#reader = new EventReader(createCaptureClock(options.origin))
  }

  redact(batch: Uint8Array): Uint8Array {
    const copy = new Uint8Array(batch)
    this.#pieces = []
    this.#from = 0
    this.#reader.read(copy, this)
    this.#pieces.push(copy.subarray(this.#from))
    return Buffer.concat(this.#pieces)
  }

  data(record: EventReader): void {
    const { bytes, payload, headLength, tailLength, length } = record
    const end = payload + headLength + tailLength
    const followed = this.#connections.get(record.connection)
    const isSend = record.op === Op.send
    const sender = followed && this.#senderOf(followed, record, isSend)
    if (followed === undefined || sender === undefined) {
      bytes.fill(MASKED, payload, end)
      return
    }
    const mask = this.#maskOf(followed, sender, record)
    if (mask === undefined || !this.#place(followed, sender, record, mask)) {
      bytes.fill(MASKED, payload, end)
      return
    }
    mask.begin(bytes, payload, payload + headLength, length)
    for (let at = payload; at < payload + headLength; at++) bytes[at] = mask.next(bytes[at]!)
    const hole = length - headLength - tailLength
    if (hole > 0) mask.hole(hole)
    if (tailLength > 0) mask.tail?.(bytes, payload + headLength, end)
    for (let at = payload + headLength; at < end; at++) bytes[at] = mask.next(bytes[at]!)
  }

  connection(record: EventReader): void {
    const role = record.u8(CONNECTION.role)
    const named = role === WireRole.opened ? 'client' : role === WireRole.accepted ? 'server' : 'unknown'
    const known = this.#connections.get(record.connection)
    if (known !== undefined) {
      if (known.role === 'unknown') known.role = named
      return
    }
    const limit = this.#options.connectionLimit ?? DEFAULT_CONNECTION_LIMIT
    if (this.#connections.size >= limit) this.#connections.delete(this.#connections.keys().next().value!)
    this.#connections.set(record.connection, {
      role: named,
      masks: undefined,
      expected: { client: undefined, server: undefined },
    })
  }

  close(record: EventReader): void {
    this.#connections.delete(record.connection)
  }

  process(): void {}

  taskBirth(): void {}

  text(record: EventReader, json: string): void {
    if (record.op !== Op.processInfo) return
    const { offset, pid, bytes } = record
    const size = record.u32(HEADER.size)
    const info = parsed(json)
    this.#pieces.push(bytes.subarray(this.#from, offset))
    this.#from = offset + ((size + RECORD_ALIGNMENT - 1) & ~(RECORD_ALIGNMENT - 1))
    if (info === undefined) return
    const time = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(offset + HEADER.timeNs, true)
    this.#pieces.push(encodeTextRecord(Op.processInfo, time, pid, redactProcess(info)))
  }

  #senderOf(followed: Followed, record: EventReader, isSend: boolean): Sender | undefined {
    if (followed.role === 'unknown') {
      const { bytes, payload, headLength } = record
      for (const module of this.#options.modules) {
        const { match, sender } = module.detect(bytes, payload, payload + Math.min(256, headLength))
        if (match === 'yes' && sender !== undefined)
          followed.role = isSend === (sender === 'client') ? 'client' : 'server'
      }
      if (followed.role === 'unknown') return undefined
    }
    return isSend === (followed.role === 'client') ? 'client' : 'server'
  }

  /** The mask of the protocol that the connection's first readable bytes belong to. */
  #maskOf(followed: Followed, sender: Sender, record: EventReader): ByteMask | undefined {
    if (followed.masks === undefined) {
      const { bytes, payload, headLength } = record
      const module = this.#options.modules.find(one => {
        const { match, sender: teller } = one.detect(bytes, payload, payload + Math.min(256, headLength))
        return match === 'yes' && (teller === undefined || teller === sender)
      })
      if (module === undefined) return undefined
      followed.masks = MASKS[module.name]?.({ module, newDisguise: () => createDisguise(this.#options.key) })
    }
    return followed.masks?.[sender]
  }

  /** Tells the mask of bytes that are missing; false for bytes that were told before. */
  #place({ expected }: Followed, sender: Sender, record: EventReader, mask: ByteMask): boolean {
    const before = expected[sender]
    const ahead = before === undefined ? 0 : (record.position - before) | 0
    if (ahead < 0) return false
    if (ahead > 0) mask.hole(ahead)
    expected[sender] = (record.position + Math.max(0, record.length)) % TWO_32
    return true
  }
}

function parsed(json: string): ProcessInfo | undefined {
  try {
    return JSON.parse(json) as ProcessInfo
  } catch {
    return undefined
  }
}
