import { CARRIER_PROGRAMS } from './carriers/carrier-kinds.js'
import { ProcessDecision } from './control-layout.js'
import { type Hooks, type HooksChoice, hooksInOrder } from './hooks.js'
import { type CaptureHandle, CaptureUnavailableError, type NativeAddon, type NativePaths } from './native-addon.js'

export interface ObjectOptions {
  readonly ringBytes: number
  /** What happens to a process that no rule names. */
  readonly traceByDefault: boolean
  /** Whether to load what looks for greenlets and tasks. */
  readonly carriers: boolean
  readonly hooks: HooksChoice
}

/** A BPF object that the kernel has taken. */
export interface LoadedObject {
  readonly handle: CaptureHandle
  readonly hooks: Hooks
  /** Why carriers cannot be seen; undefined where they can. */
  readonly refusal: string | undefined
}

export function objectPath(paths: NativePaths, hooks: Hooks): string {
  return hooks === 'socket' ? paths.bpf : paths.bpfSystemCalls
}

/**
 * Loads the cheapest capture that this kernel takes: with everything; where the kernel refuses, without what carriers
 * need; where it refuses that too, the one for older kernels. Throws what the first one was refused for.
 */
export function loadObject(addon: NativeAddon, paths: NativePaths, options: ObjectOptions): LoadedObject {
  let first: unknown
  for (const hooks of hooksInOrder(options.hooks)) {
    try {
      return { ...loadWith(addon, objectPath(paths, hooks), options), hooks }
    } catch (error) {
      first ??= error
    }
  }
  throw describeFailure(first)
}

function loadWith(
  addon: NativeAddon,
  path: string,
  { ringBytes, traceByDefault, carriers }: ObjectOptions,
): Omit<LoadedObject, 'hooks'> {
  const size = 2 ** Math.ceil(Math.log2(Math.max(ringBytes, 4096)))
  const constants = { default_decision: traceByDefault ? ProcessDecision.traced : ProcessDecision.ignored }
  const openPlain = (refusal: string) => {
    const handle = addon.open(path, size, { ...constants, carriers_enabled: 0 }, {}, CARRIER_PROGRAMS)
    return { handle, refusal }
  }
  if (!carriers) return openPlain('switched off')
  try {
    return { handle: addon.open(path, size, constants), refusal: undefined }
  } catch (error) {
    // If the rest does not load either, that error is the one to tell.
    return openPlain(error instanceof Error ? error.message : String(error))
  }
}

export function describeFailure(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EBPF_LOAD') return error
  const program = 'program' in error && error.program !== '' ? ` (program ${String(error.program)})` : ''
  return new CaptureUnavailableError(
    'EBPF_LOAD',
    `live capture cannot start: ${error.message}${program}. 'ghostspan doctor' names what is missing`,
    error,
  )
}
