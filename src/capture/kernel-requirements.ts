import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { arch, release } from 'node:os'
import {
  type Hooks,
  type HooksChoice,
  hooksInOrder,
  hooksInWords,
  KERNEL_TYPES,
  missingTracepoints,
  tracepointsOf,
} from './hooks.js'
import {
  CaptureUnavailableError,
  loadNativeAddon,
  type NativeAddon,
  type NativePaths,
  nativePaths,
} from './native-addon.js'
import { loadObject, objectPath } from './open-object.js'

/** One thing that live capture needs, as it is on this machine. */
export interface KernelRequirement {
  readonly name: string
  readonly ok: boolean
  /** False: capture works without it, with what `detail` says. */
  readonly required: boolean
  readonly detail: string
  /** What to do when it is not ok. */
  readonly fix?: string
}

const CAPABILITIES = { CAP_SYS_PTRACE: 19, CAP_SYS_ADMIN: 21, CAP_PERFMON: 38, CAP_BPF: 39 } as const
/** PROC_PID_INIT_INO of include/uapi/linux/nsfs.h: the host's own. */
const HOST_PID_NAMESPACE = 'pid:[4026531836]'

/**
 * Everything that live capture needs, each looked at by itself. Loads the programs once as a trial and unloads them;
 * attaches nothing.
 */
export function checkKernel(paths: NativePaths = nativePaths(), choice: HooksChoice = 'auto'): KernelRequirement[] {
  return [
    checkPlatform(),
    checkTypes(),
    checkTracepoints(choice),
    checkPrivileges(),
    checkPidNamespace(),
    checkLockdown(),
    ...checkBuilt(paths, choice),
    ...checkFileSystems(),
  ]
}

function checkPlatform(): KernelRequirement {
  const ok = process.platform === 'linux' && arch() === 'x64'
  return {
    ...{ name: 'platform', ok, required: true, detail: `${process.platform} ${release()} ${arch()}` },
    ...(ok ? {} : { fix: 'live capture runs on Linux on x86-64; replay works everywhere' }),
  }
}

function checkTypes(): KernelRequirement {
  const ok = existsSync(KERNEL_TYPES)
  return {
    ...{ name: 'kernel BTF', ok, required: true, detail: ok ? KERNEL_TYPES : `${KERNEL_TYPES} is missing` },
    ...(ok ? {} : { fix: 'use a kernel built with CONFIG_DEBUG_INFO_BTF=y (the default of all large distributions)' }),
  }
}

/** Of the cheapest capture whose tracepoints this kernel has. */
function checkTracepoints(choice: HooksChoice): KernelRequirement {
  const base = { name: 'tracepoints', required: true }
  const hooks = hooksInOrder(choice)[0]!
  const wanted = tracepointsOf(hooks)
  let missing: string[]
  try {
    missing = missingTracepoints(wanted)
  } catch {
    return { ...base, ok: false, detail: 'unknown without kernel BTF', fix: 'see kernel BTF' }
  }
  if (missing.length === 0) return { ...base, ok: true, detail: wanted.join(', ') }
  const fix = hooks === 'socket' ? 'use Linux 6.3 or later, or leave capture.hooks at auto' : 'use Linux 5.14 or later'
  return { ...base, ok: false, detail: `missing: ${missing.join(', ')}`, fix }
}

export function checkPrivileges(): KernelRequirement {
  const base = { name: 'privileges', required: true }
  const effective = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)/m.exec(readOr('/proc/self/status'))?.[1] ?? '0'}`)
  const has = (bit: number): boolean => ((effective >> BigInt(bit)) & 1n) === 1n
  const admin = has(CAPABILITIES.CAP_SYS_ADMIN)
  const missing = Object.entries(CAPABILITIES)
    .filter(([name, bit]) => name !== 'CAP_SYS_ADMIN' && !has(bit) && !(admin && name !== 'CAP_SYS_PTRACE'))
    .map(([name]) => name)
  if (missing.length === 0)
    return { ...base, ok: true, detail: `uid ${process.getuid?.() ?? 0}, CAP_BPF and CAP_PERFMON` }
  return { ...base, ok: false, detail: `missing: ${missing.join(', ')}`, fix: 'run as root, for example with sudo' }
}

/** The kernel names processes by the host's ids: in another namespace they are somebody else's. */
function checkPidNamespace(): KernelRequirement {
  let link = ''
  try {
    link = readlinkSync('/proc/self/ns/pid')
  } catch {
    // No /proc: the detail says so.
  }
  const ok = link === HOST_PID_NAMESPACE
  return {
    ...{
      name: 'host process ids',
      ok,
      required: true,
      detail: ok ? "in the host's pid namespace" : `in ${link || 'no known namespace'}`,
    },
    ...(ok ? {} : { fix: "run in the host's pid namespace (containers: --pid=host)" }),
  }
}

function checkLockdown(): KernelRequirement {
  const mode = /\[(\w+)\]/.exec(readOr('/sys/kernel/security/lockdown'))?.[1]
  const ok = mode !== 'confidentiality'
  return {
    ...{ name: 'kernel lockdown', ok, required: true, detail: mode ?? 'not shown (securityfs is not mounted)' },
    ...(ok ? {} : { fix: 'boot with lockdown=integrity or lockdown=none: confidentiality forbids all tracing' }),
  }
}

function checkBuilt(paths: NativePaths, choice: HooksChoice): KernelRequirement[] {
  const build = 'npm run build:native (it names the packages it lacks)'
  const addonBase = { name: 'addon', required: true }
  const objects = hooksInOrder(choice).map(hooks => objectPath(paths, hooks))
  const unbuilt = objects.filter(path => !existsSync(path))
  const object: KernelRequirement = {
    ...{ name: 'BPF object', ok: unbuilt.length === 0, required: true },
    ...(unbuilt.length === 0
      ? { detail: objects.join(', ') }
      : { detail: `${unbuilt.join(', ')}: has not been built`, fix: build }),
  }
  let addon: NativeAddon
  try {
    addon = loadNativeAddon(paths.addon)
  } catch (error) {
    const detail = error instanceof CaptureUnavailableError ? error.message : String(error)
    return [{ ...addonBase, ok: false, detail, fix: build }, object]
  }
  const found: KernelRequirement[] = [{ ...addonBase, ok: true, detail: paths.addon }, object]
  if (object.ok) found.push(...tryLoading(addon, paths, choice))
  return found
}

/** As the start of live capture will do it. */
function tryLoading(addon: NativeAddon, paths: NativePaths, choice: HooksChoice): KernelRequirement[] {
  try {
    const options = { ringBytes: 4096, traceByDefault: false, carriers: true, hooks: choice }
    const { handle, hooks, refusal } = loadObject(addon, paths, options)
    addon.close(handle)
    const detail = refusal === undefined ? 'the kernel accepted them' : `without greenlets and tasks: ${refusal}`
    return [{ name: 'BPF programs load', required: true, ok: true, detail }, hooksRequirement(hooks, choice)]
  } catch (error) {
    return [loadFailure(error)]
  }
}

function hooksRequirement(hooks: Hooks, choice: HooksChoice): KernelRequirement {
  const base = { name: 'hooks', required: false, detail: hooksInWords(hooks) }
  if (hooks === 'socket' || choice === 'syscall') return { ...base, ok: true }
  return { ...base, ok: false, fix: 'nothing need be done; with Linux 6.3 or later it costs less' }
}

function loadFailure(error: unknown): KernelRequirement {
  const base = { name: 'BPF programs load', required: true }
  const { message, program } = error as Error & { program?: string }
  const where = program === undefined || program === '' ? '' : ` (program ${program})`
  const fix = 'see the points above; if all are ok, build anew on this kernel: npm run build:native -- --force'
  return { ...base, ok: false, detail: `${message}${where}`, fix }
}

/** File systems that are mounted at start if they are not: [type, place]. */
export const FILE_SYSTEMS = [
  ['tracefs', '/sys/kernel/tracing'],
  ['bpf', '/sys/fs/bpf'],
] as const

function checkFileSystems(): KernelRequirement[] {
  return FILE_SYSTEMS.map(([type, place]) => {
    const ok = isMounted(type, place)
    const detail = ok ? place : `not mounted at ${place}: done at start, as far as allowed`
    const fix = `mount -t ${type} ${type} ${place}`
    return { name: type === 'bpf' ? 'bpffs' : type, ok, required: false, detail, ...(ok ? {} : { fix }) }
  })
}

function isMounted(type: string, place: string): boolean {
  return readOr('/proc/self/mounts')
    .split('\n')
    .some(line => {
      const [, where, what] = line.split(' ')
      return where === place && what === type
    })
}

/** Mounts what is missing; a refusal is not fatal, the capture itself needs neither. */
export function mountFileSystems(addon: NativeAddon): void {
  for (const [type, place] of FILE_SYSTEMS) {
    if (!isMounted(type, place) && existsSync(place)) addon.mount(type, place)
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
