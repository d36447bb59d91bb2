import type { CaptureHandle, NativeAddon } from '../native-addon.js'
import type { ProbeSite } from './carrier-kind.js'
import { type CarrierCounts, decodeCounts } from './carrier-layout.js'
import type { ThreadPointer } from './process-image.js'

/** What discovery needs of the kernel side. */
export interface CarrierKernel {
  /** Why the kernel cannot see carriers at all, in words; undefined where it can. */
  readonly refusal: string | undefined
  attach(site: ProbeSite): number | { readonly errno: number; readonly message: string }
  detach(probe: number): void
  /** Undefined when written; else why not. */
  write(pid: number, config: Uint8Array): string | undefined
  remove(pid: number): void
  /** Undefined where the kernel knows of no carriers in this process. */
  counts(pid: number): CarrierCounts | undefined
  threads(pid: number): readonly ThreadPointer[]
}

const MAP = 'carrier_configs'
const ALL_PROCESSES = -1
const THREAD_BYTES = 16

export function createCarrierKernel(
  addon: NativeAddon,
  handle: CaptureHandle,
  refusal: string | undefined,
): CarrierKernel {
  const key = (pid: number): Uint8Array => {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, pid, true)
    return bytes
  }
  /** Connections look their process up again. */
  const renew = (): void => {
    addon.advance(handle, 'selection_epoch')
  }
  return {
    refusal,
    attach: ({ program, path, offset, atReturn, cookie }) =>
      addon.attachProbe(handle, program, path, offset, ALL_PROCESSES, atReturn, cookie ?? 0),
    detach: probe => addon.detachProbe(handle, probe),
    write: (pid, config) => {
      try {
        addon.update(handle, MAP, key(pid), config)
      } catch (error) {
        return (error as Error).message
      }
      renew()
      return undefined
    },
    remove: pid => {
      addon.remove(handle, MAP, key(pid))
      renew()
    },
    counts: pid => {
      const config = refusal === undefined ? addon.lookup(handle, MAP, key(pid)) : undefined
      return config === undefined ? undefined : decodeCounts(config)
    },
    threads: pid => {
      const bytes = refusal === undefined ? addon.threads(handle, 'thread_pointers', pid) : new Uint8Array(0)
      return bytes instanceof Uint8Array ? decodeThreads(bytes, pid) : []
    },
  }
}

/** struct thread_pointer of bpf/lib/carriers/threads.h, those of one process. */
function decodeThreads(bytes: Uint8Array, pid: number): ThreadPointer[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const threads: ThreadPointer[] = []
  for (let at = 0; at + THREAD_BYTES <= bytes.byteLength; at += THREAD_BYTES) {
    if (view.getUint32(at, true) !== pid) continue
    threads.push({ tid: view.getUint32(at + 4, true), address: Number(view.getBigUint64(at + 8, true)) })
  }
  return threads
}
