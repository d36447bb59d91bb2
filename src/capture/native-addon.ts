import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A loaded BPF object; only the addon can look inside. */
export interface CaptureHandle {
  readonly brand: 'ghostspan capture'
}

export interface ProgramTime {
  readonly name: string
  /** Run time in ns and number of runs; counted by the kernel only while kernel.bpf_stats_enabled is 1. */
  readonly nanoseconds: number
  readonly runs: number
  /** How often it was not run because it was running already on the same CPU; always counted. */
  readonly misses: number
}

/** What did not work where that is to be expected. */
export interface Refusal {
  readonly errno: number
  readonly message: string
}

/**
 * The functions of native/src/addon.cc. Errors carry `code`: EBPF_LOAD (with `errno`, `program`, `verifierLog`),
 * EBPF_MAP (with `errno`), EBPF_CLOSED.
 */
export interface NativeAddon {
  /** Loads without attaching. `ringBytes`: a power of two, at least a page; 0 as built. */
  open(
    objectPath: string,
    ringBytes: number,
    constants?: Readonly<Record<string, number>>,
    mapSizes?: Readonly<Record<string, number>>,
    leftOutPrograms?: readonly string[],
  ): CaptureHandle
  attach(handle: CaptureHandle): void
  /** Stops watching; what was loaded stays, `attach` goes on. */
  detach(handle: CaptureHandle): void
  /** Detaches and unloads; may be called again. Everything else then throws EBPF_CLOSED. */
  close(handle: CaptureHandle): void
  /** Copies whole records, each at a multiple of 8, as many as fit and wait; returns the bytes. */
  read(handle: CaptureHandle, into: Uint8Array): number
  /** Bytes waiting in the ring. */
  pending(handle: CaptureHandle): number
  /** Records dropped because a buffer given to `read` was smaller than one record. */
  oversized(handle: CaptureHandle): number
  /** Keys and values lie one after the other, in the map's sizes. */
  update(handle: CaptureHandle, map: string, keys: Uint8Array, values: Uint8Array): void
  remove(handle: CaptureHandle, map: string, keys: Uint8Array): void
  /** Per-CPU maps answer with the values of all CPUs. */
  lookup(handle: CaptureHandle, map: string, key: Uint8Array): Uint8Array | undefined
  keys(handle: CaptureHandle, map: string): Uint8Array
  /** Adds one to a 32-bit variable of the programs; returns the new value. */
  advance(handle: CaptureHandle, variable: string): number
  times(handle: CaptureHandle): ProgramTime[]
  /**
   * Puts a uprobe program at an offset of a file, for one process or all (-1); returns the probe's number, or why the
   * kernel (or libbpf) refused.
   */
  attachProbe(
    handle: CaptureHandle,
    program: string,
    path: string,
    offset: number,
    pid: number,
    atReturn: boolean,
    cookie: number,
  ): number | Refusal
  detachProbe(handle: CaptureHandle, probe: number): void
  /** What an iterator program writes about the threads of one process; before Linux 6.1, of all. */
  threads(handle: CaptureHandle, program: string, pid: number): Uint8Array | Refusal
  clocks(): { readonly monotonicNs: bigint; readonly realtimeNs: bigint; readonly boottimeNs: bigint }
  /** mount(2); returns 0 or the errno. */
  mount(type: string, place: string): number
}

/** Where `scripts/build-native.mjs` left the addon and the BPF object. */
export interface NativePaths {
  readonly addon: string
  /** The capture on socket tracepoints … */
  readonly bpf: string
  /** … and the one on system calls, for kernels that lack them. */
  readonly bpfSystemCalls: string
}

/** Start-up failed for lack of something that `doctor` names. */
export class CaptureUnavailableError extends Error {
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'CaptureUnavailableError'
    this.code = code
  }
}

/** The folder that holds package.json, whether this runs from src/ or from dist/src/. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'bpf', 'types', 'event.h'))) {
    const parent = dirname(directory)
    if (parent === directory) return directory
    directory = parent
  }
  return directory
}

/** The paths in this package, or in the folder that `build-native.mjs --out` was given. */
export function nativePaths(outDirectory?: string): NativePaths {
  if (outDirectory !== undefined) {
    return pathsIn(outDirectory, outDirectory)
  }
  const root = packageRoot()
  return pathsIn(join(root, 'native/build'), join(root, 'bpf/build'))
}

function pathsIn(native: string, bpf: string): NativePaths {
  return {
    addon: join(native, 'ghostspan.node'),
    bpf: join(bpf, 'capture.bpf.o'),
    bpfSystemCalls: join(bpf, 'capture-system-calls.bpf.o'),
  }
}

/** The only place that touches a `.node` file. Throws CaptureUnavailableError ADDON_MISSING or ADDON_BROKEN. */
export function loadNativeAddon(path: string): NativeAddon {
  if (!existsSync(path)) {
    throw new CaptureUnavailableError(
      'ADDON_MISSING',
      `the addon ${path} has not been built; build it with: npm run build:native`,
    )
  }
  const module = { exports: {} }
  try {
    process.dlopen(module, path)
  } catch (error) {
    throw new CaptureUnavailableError(
      'ADDON_BROKEN',
      `the addon ${path} cannot be loaded (${String(error)}); build it anew with: npm run build:native -- --force`,
      error,
    )
  }
  return module.exports as NativeAddon
}
