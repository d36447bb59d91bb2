import type { FinishedSpan } from '../traces/span.js'
import { type CallCell, createCallCell } from './call-cell.js'
import { createServiceFacts, type ServiceFacts } from './service-facts.js'
import { SKETCH_FORMAT, type SketchRow } from './sketch-row.js'

/** Everything that ended within one minute. */
export interface MinuteSketches {
  /** A call as `service` made or took it. False: it was counted under the name `other`, because there were too many. */
  operation(span: FinishedSpan, statusClass: string): boolean
  edge(from: string, to: string, span: FinishedSpan): boolean
  rows(): SketchRow[]
}

/** What everything beyond the limits is called. */
export const OTHER_NAME = '(other)'
/** Of one minute. A cell has some 1 kB. */
const MOST_CELLS = 4_000
const MOST_SERVICES = 500
const NO_BINS = { indexes: [], counts: [] }
const NO_REGISTERS = { indexes: [], ranks: [] }

type Cells = Map<string, Map<string, Map<string, CallCell>>>

/** @param time begin of the minute, seconds since 1970 */
export function createMinuteSketches(time: number): MinuteSketches {
  const operations: Cells = new Map()
  const edges: Cells = new Map()
  const services = new Map<string, ServiceFacts>()
  const size = { operations: 0, edges: 0 }

  const count = (cell: CallCell, { durationNs, status, sample }: FinishedSpan): void => {
    cell.calls++
    if (status.code === 'error') cell.errors++
    cell.durationNs += durationNs
    if (durationNs > cell.longestNs) cell.longestNs = durationNs
    cell.requestBytes += sample.requestBytes
    cell.responseBytes += sample.responseBytes
    cell.durations.add(durationNs)
  }
  const factsOf = (service: string): ServiceFacts => {
    const name = services.has(service) || services.size < MOST_SERVICES ? service : OTHER_NAME
    let facts = services.get(name)
    if (facts === undefined) {
      facts = createServiceFacts()
      services.set(name, facts)
    }
    return facts
  }
  const cellOf = (which: 'operations' | 'edges', service: string, name: string, kind: string): CallCell => {
    const cells = which === 'operations' ? operations : edges
    const known = cells.get(service)?.get(name)?.get(kind)
    if (known !== undefined) return known
    const full = size[which] >= MOST_CELLS
    // A crowd of names within one service must not push other services' aside: half of the room is for everybody.
    const mine = cells.get(service)
    const crowd = mine !== undefined && size[which] >= MOST_CELLS / 2 && mine.size >= MOST_CELLS / 8
    if ((full || crowd) && name !== OTHER_NAME) {
      const home = full && mine === undefined ? OTHER_NAME : service
      return cellOf(which, home, OTHER_NAME, full && home === OTHER_NAME ? '' : kind)
    }
    const cell = createCallCell(service, name, kind)
    const names = mine ?? new Map<string, Map<string, CallCell>>()
    cells.set(service, names)
    const classes = names.get(name) ?? new Map<string, CallCell>()
    names.set(name, classes)
    classes.set(kind, cell)
    size[which]++
    return cell
  }
  return {
    operation: (span, statusClass) => {
      const cell = cellOf('operations', span.resource.service, span.name, statusClass)
      count(cell, span)
      factsOf(span.resource.service).add(span)
      return cell.name === span.name
    },
    edge: (from, to, span) => {
      const cell = cellOf('edges', from, to, span.sample.protocol)
      count(cell, span)
      return cell.name === to
    },
    rows: () => [
      ...callRows(time, 'operation', operations),
      ...callRows(time, 'edge', edges),
      ...factRows(time, services),
    ],
  }
}

function callRows(time: number, kind: 'operation' | 'edge', cells: Cells): SketchRow[] {
  const rows: SketchRow[] = []
  for (const names of cells.values()) {
    for (const classes of names.values()) {
      for (const { durations, ...sums } of classes.values()) {
        rows.push({
          ...{ time, kind, format: SKETCH_FORMAT, ...sums },
          ...{ bins: durations.bins(), registers: NO_REGISTERS, items: [] },
        })
      }
    }
  }
  return rows
}

function factRows(time: number, services: ReadonlyMap<string, ServiceFacts>): SketchRow[] {
  const rows: SketchRow[] = []
  const nothing = { errors: 0, durationNs: 0, longestNs: 0, requestBytes: 0, responseBytes: 0, bins: NO_BINS }
  const head = { time, class: '', format: SKETCH_FORMAT, ...nothing }
  for (const [service, { distinct, frequent }] of services) {
    for (const [name, { sketch, calls }] of distinct) {
      rows.push({ ...head, kind: 'distinct', service, name, calls, registers: sketch.registers(), items: [] })
    }
    for (const [name, items] of frequent) {
      const row = { calls: items.total(), registers: NO_REGISTERS, items: items.items() }
      rows.push({ ...head, kind: 'frequent', service, name, ...row })
    }
  }
  return rows
}
