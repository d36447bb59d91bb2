import { asyncioKind } from './asyncio.js'
import type { CarrierKind } from './carrier-kind.js'
import { goKind } from './go.js'
import { greenletKind } from './greenlet.js'
import { uvloopKind } from './uvloop.js'

/** Every kind of carriers below the thread that is known. */
export const carrierKinds: readonly CarrierKind[] = [greenletKind, asyncioKind, uvloopKind, goKind]

/** Programs of bpf/capture/capture.bpf.c that are left out where the kernel refuses them. */
export const CARRIER_PROGRAMS = ['greenlet_born', 'context_copied', 'write_queued', 'thread_pointers'] as const
