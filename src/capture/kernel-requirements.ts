import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { arch, release } from 'node:os'
import {
  CaptureUnavailableError,
  loadNativeAddon,
  type NativeAddon,
  type NativePaths,
  nativePaths,
} from './native-addon.js'

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

/** Tracepoints of bpf/capture/capture.bpf.c. The first two are the youngest: Linux 6.3. */
const TRACEPOINTS = [
  'sock_send_length',
  'sock_recv_length',
  'inet_sock_set_state',
  'tcp_destroy_sock',
  'sched_process_fork',
  'sched_process_exec',
  'sched_process_exit',
] as const

const KERNEL_TYPES = '/sys/kernel/btf/vmlinux'
const CAPABILITIES = { CAP_SYS_PTRACE: 19, CAP_SYS_ADMIN: 21, CAP_PERFMON: 38, CAP_BPF: 39 } as const
/** PROC_PID_INIT_INO of include/uapi/linux/nsfs.h: the host's own. */
const HOST_PID_NAMESPACE = 'pid:[4026531836]'

/**
 * Everything that live capture needs, each looked at by itself. Loads the programs once as a trial and unloads them;
 * attaches nothing.
 */
export function checkKernel(paths: NativePaths = nativePaths()): KernelRequirement[] {
  return [
    checkPlatform(),
    checkTypes(),
    checkTracepoints(),
    checkPrivileges(),
    checkPidNamespace(),
    checkLockdown(),
    ...checkBuilt(paths),
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

function checkTracepoints(): KernelRequirement {
  const base = { name: 'tracepoints', required: true }
  let types: Buffer
  try {
    types = readFileSync(KERNEL_TYPES)
  } catch {
    return { ...base, ok: false, detail: 'unknown without kernel BTF', fix: 'see kernel BTF' }
  }
  const missing = TRACEPOINTS.filter(name => !types.includes(`\0btf_trace_${name}\0`))
  if (missing.length === 0) return { ...base, ok: true, detail: TRACEPOINTS.join(', ') }
  return { ...base, ok: false, detail: `missing: ${missing.join(', ')}`, fix: 'use Linux 6.3 or later' }
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

function checkBuilt(paths: NativePaths): KernelRequirement[] {
  const build = 'npm run build:native (it names the packages it lacks)'
  const addonBase = { name: 'addon', required: true }
  const object: KernelRequirement = {
    ...{ name: 'BPF object', ok: existsSync(paths.bpf), required: true },
    ...(existsSync(paths.bpf) ? { detail: paths.bpf } : { detail: `${paths.bpf} has not been built`, fix: build }),
  }
  let addon: NativeAddon
  try {
    addon = loadNativeAddon(paths.addon)
  } catch (error) {
    const detail = error instanceof CaptureUnavailableError ? error.message : String(error)
    return [{ ...addonBase, ok: false, detail, fix: build }, object]
  }
  const found: KernelRequirement[] = [{ ...addonBase, ok: true, detail: paths.addon }, object]
  if (object.ok) found.push(tryLoading(addon, paths.bpf))
  return found
}

function tryLoading(addon: NativeAddon, path: string): KernelRequirement {
  const base = { name: 'BPF programs load', required: true }
  try {
    addon.close(addon.open(path, 4096))
    return { ...base, ok: true, detail: 'the kernel accepted them' }
  } catch (error) {
    const { message, program } = error as Error & { program?: string }
    const where = program === undefined || program === '' ? '' : ` (program ${program})`
    const fix = 'see the points above; if all are ok, build anew on this kernel: npm run build:native -- --force'
    return { ...base, ok: false, detail: `${message}${where}`, fix }
  }
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
