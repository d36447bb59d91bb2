import { asyncioKind } from './asyncio.js'
import type { CarrierKind } from './carrier-kind.js'
import { goKind } from './go.js'
import { greenletKind } from './greenlet.js'
import { createNodeKind } from './node.js'
import { uvloopKind } from './uvloop.js'

/** Every kind of carriers below the thread that is known. */
export const carrierKinds: readonly CarrierKind[] = [greenletKind, asyncioKind, uvloopKind, goKind, createNodeKind()]

/** Programs of bpf/capture/capture.bpf.c that are left out where the kernel refuses them. */
export const CARRIER_PROGRAMS = [
  'greenlet_born',
  'context_copied',
  'write_queued',
  'phase_begun',
  'work_ordered',
  'work_done',
  'thread_pointers',
] as const
