import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where an operation was received: local port, remote port, position. */
export type ReceivedAt = readonly [local: number, remote: number, position: number]

/** One line of what the load and the services note about themselves (src/demo/services/truth.py). */
export interface TruthRecord {
  /** request: sent by the load; server, consumer: received by a service; client, producer: sent by a service. */
  readonly kind: 'request' | 'server' | 'consumer' | 'client' | 'producer'
  readonly service: string
  readonly protocol: string
  readonly name: string
  readonly local: number
  readonly remote: number
  /** Bytes that had gone on the connection, in the operation's direction, before its first byte. */
  readonly position: number
  /** Seconds since 1970 of its beginning. */
  readonly at: number
  /** Of what is sent by a service: what it was working on. */
  readonly in?: ReceivedAt | null
  /** Of what the load sent, and of what came through nginx: the request's id. */
  readonly request?: string | null
  /** Of queue messages: what they are about; the same where they are sent and where they are consumed. */
  readonly message?: string
  readonly status?: number
}

/** An operation that is known to have happened, as one end of its connection should show it. */
export interface Operation {
  /** 'nginx server http', 'web client mysql', … */
  readonly label: string
  readonly name: string
  readonly key: string
  /** Milliseconds since 1970. */
  readonly atMillis: number
  parent: Operation | undefined
  /** Id of the load's request that it was done for; undefined if it was done for none. */
  request: string | undefined
}

/** out: this end started the operation; in: this end received it. */
export type Direction = 'in' | 'out'

export function operationKey(direction: Direction, local: number, remote: number, position: number): string {
  return `${direction} ${local} ${remote} ${position}`
}

/** Operations by key. A pair of ports can be used again, so one key may stand for several: then time tells. */
export class OperationIndex {
  readonly #byKey = new Map<string, Operation[]>()

  add(operation: Operation): void {
    const same = this.#byKey.get(operation.key)
    if (same === undefined) this.#byKey.set(operation.key, [operation])
    else same.push(operation)
  }

  nearest(key: string, atMillis: number): Operation | undefined {
    let best: Operation | undefined
    for (const each of this.#byKey.get(key) ?? []) {
      if (best === undefined || Math.abs(each.atMillis - atMillis) < Math.abs(best.atMillis - atMillis)) best = each
    }
    return best
  }
}

export interface Truth {
  readonly operations: readonly Operation[]
  readonly index: OperationIndex
  /** Ids of the load's requests. */
  readonly requests: ReadonlySet<string>
}

const LONGEST_CHAIN = 64

function directionOf(record: TruthRecord): Direction {
  return record.kind === 'server' || record.kind === 'consumer' ? 'in' : 'out'
}

/** The load is not traced; what it knows is how nginx, which writes no such notes, receives and passes on a request. */
function addNginx(records: readonly TruthRecord[], index: OperationIndex, operations: Operation[]): void {
  const incoming = new Map<string, Operation>()
  const add = (label: string, record: TruthRecord, key: string, parent: Operation | undefined) => {
    const operation = { label, name: record.name, key, atMillis: record.at * 1000, parent, request: undefined }
    operations.push(operation)
    index.add(operation)
    return operation
  }
  for (const record of records) {
    if (record.kind !== 'request' || record.request == null) continue
    const key = operationKey('in', record.remote, record.local, record.position)
    const operation: Operation = add('nginx server http', record, key, undefined)
    operation.request = record.request
    incoming.set(record.request, operation)
  }
  for (const record of records) {
    if (record.kind !== 'server' || record.request == null) continue
    const parent = incoming.get(record.request)
    if (parent === undefined) continue
    add('nginx client http', record, operationKey('out', record.remote, record.local, record.position), parent)
  }
}

/**
 * Works out from what everybody noted which operation was caused by which.
 * Order of the records does not matter.
 */
export function buildTruth(records: readonly TruthRecord[]): Truth {
  const operations: Operation[] = []
  const index = new OperationIndex()
  addNginx(records, index, operations)
  const noted: [TruthRecord, Operation][] = []
  const producers = new Map<string, Operation>()
  for (const record of records) {
    if (record.kind === 'request') continue
    const key = operationKey(directionOf(record), record.local, record.remote, record.position)
    const label = `${record.service} ${record.kind} ${record.protocol}`
    const operation = {
      label,
      name: record.name,
      key,
      atMillis: record.at * 1000,
      parent: undefined,
      request: undefined,
    }
    operations.push(operation)
    index.add(operation)
    noted.push([record, operation])
    if (record.kind === 'producer' && record.message !== undefined) producers.set(record.message, operation)
  }
  for (const [record, operation] of noted) operation.parent = parentOf(record, index, producers)
  for (const operation of operations) operation.request ??= requestOf(operation)
  const requests = new Set(records.flatMap(each => (each.kind === 'request' && each.request ? [each.request] : [])))
  return { operations, index, requests }
}

function parentOf(
  record: TruthRecord,
  index: OperationIndex,
  producers: ReadonlyMap<string, Operation>,
): Operation | undefined {
  const atMillis = record.at * 1000
  if (record.kind === 'consumer') return producers.get(record.message ?? '')
  if (record.kind === 'server') {
    // The other end of the same connection.
    return index.nearest(operationKey('out', record.remote, record.local, record.position), atMillis)
  }
  return record.in ? index.nearest(operationKey('in', ...record.in), atMillis) : undefined
}

function requestOf(operation: Operation): string | undefined {
  let ancestor: Operation | undefined = operation
  for (let steps = 0; ancestor !== undefined && steps < LONGEST_CHAIN; steps++) {
    if (ancestor.request !== undefined) return ancestor.request
    ancestor = ancestor.parent
  }
  return undefined
}

/** The records of one file of notes; a line that was being written when it was read is left out. */
export function parseTruth(text: string): TruthRecord[] {
  const lines = text.split('\n')
  return lines.slice(0, -1).map(line => JSON.parse(line) as TruthRecord)
}

/** All records of a run's truth folder. */
export function readTruthFolder(folder: string): TruthRecord[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.jsonl'))
    .sort()
    .flatMap(name => parseTruth(readFileSync(join(folder, name), 'utf8')))
}
