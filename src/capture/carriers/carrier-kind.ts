import type { ProcessInfo } from '../process-info.js'
import type { ProcessImage } from './process-image.js'

/** An instruction that births are told from. */
export interface ProbeSite {
  /** Name of the uprobe program in bpf/capture/capture.bpf.c. */
  readonly program: string
  /** The file, where it can be opened from here, and the key that tells it apart (MappedFile). */
  readonly path: string
  readonly fileKey: string
  /** Of the instruction in the file, in bytes. */
  readonly offset: number
  readonly atReturn: boolean
  /** What the program reads with bpf_get_attach_cookie(). */
  readonly cookie?: number
}

export type Resolution =
  | {
      readonly state: 'resolved'
      /** For people: version, offsets, what was checked. */
      readonly detail: string
      /** Fills its part of the layout: words of carrier_config.layout (128 bytes, zeros before). */
      readonly fill: (layout: DataView) => void
      /** All have to be in place before the kernel is told of the carriers: an id without births may be reused. */
      readonly probes: readonly ProbeSite[]
      /** Nothing to do for the kernel: the kind's bit is left out. */
      readonly idle?: boolean
    }
  /** Still starting, or not relocated yet: will be looked at again. */
  | { readonly state: 'pending'; readonly reason: string }
  /** Nothing that a later look would change. */
  | { readonly state: 'unsupported'; readonly reason: string }

/**
 * One kind of carriers below the thread: a file here, a header in bpf/lib/carriers/, an entry in carrier-kinds.ts.
 * Neither function may throw for what a process contains; all reads go through the image.
 */
export interface CarrierKind {
  readonly name: 'greenlet' | 'asyncio' | 'uvloop' | 'go' | 'node'
  /** Bit of enum carrier_kind. */
  readonly bit: number
  /** By its name alone, may a program that has just been started come to run such carriers? */
  suspects(info: ProcessInfo): boolean
  /**
   * A cheap look at what is mapped: does it run such carriers? 'later': it may yet, when it loads more (an interpreter
   * without the library).
   */
  detect(image: ProcessImage): 'yes' | 'later' | 'no'
  /** Finds offsets and addresses and checks them in the process' memory. Only after `detect` said yes. */
  resolve(image: ProcessImage): Resolution
}
