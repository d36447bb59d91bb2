import { Attribute } from '../protocols/attribute-names.js'
import type { FinishedSpan } from '../traces/span.js'
import { createDistinctSketch, type DistinctSketch } from './distinct-sketch.js'
import { createFrequentItems, type FrequentItems } from './frequent-items.js'

export type DistinctName = 'callers' | 'users' | 'projects'
export type FrequentName = 'routes' | 'statements' | 'keys' | 'queues'

/** Who called a service in one minute, and what was asked of and by it most often. */
export interface ServiceFacts {
  add(span: FinishedSpan): void
  readonly distinct: ReadonlyMap<DistinctName, DistinctCount>
  readonly frequent: ReadonlyMap<FrequentName, FrequentItems>
}

export interface DistinctCount {
  readonly sketch: DistinctSketch
  /** Calls that named one. */
  calls: number
}

/** Attributes that name a caller's user and project: OpenTelemetry's, and what an operator's resource rules may set. */
const USER = ['user.id', 'enduser.id', 'openstack.user_id']
const PROJECT = ['openstack.project_id', 'project.id', 'tenant.id']

export function createServiceFacts(): ServiceFacts {
  const distinct = new Map<DistinctName, DistinctCount>()
  const frequent = new Map<FrequentName, FrequentItems>()
  const seen = (name: DistinctName, value: unknown): void => {
    if (value === undefined || value === '') return
    let known = distinct.get(name)
    if (known === undefined) {
      known = { sketch: createDistinctSketch(), calls: 0 }
      distinct.set(name, known)
    }
    known.calls++
    known.sketch.add(String(value))
  }
  const often = (name: FrequentName, value: unknown): void => {
    if (value === undefined || value === '') return
    let known = frequent.get(name)
    if (known === undefined) {
      known = createFrequentItems()
      frequent.set(name, known)
    }
    known.add(String(value))
  }
  return {
    add: ({ kind, attributes }) => {
      if (kind === 'server') {
        seen('callers', attributes[Attribute.clientAddress])
        for (const key of USER) seen('users', attributes[key])
        for (const key of PROJECT) seen('projects', attributes[key])
        often('routes', attributes[Attribute.httpRoute])
      } else if (kind === 'client') {
        often('statements', attributes[Attribute.dbQueryText])
        often('keys', attributes[Attribute.ghostspanDbKeyHash])
      } else if (kind !== 'internal') often('queues', attributes[Attribute.messagingDestinationName])
    },
    distinct,
    frequent,
  }
}
