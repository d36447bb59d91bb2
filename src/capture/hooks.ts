import { readFileSync } from 'node:fs'
import { release } from 'node:os'

/**
 * What tells of socket calls. `socket`: the tracepoints sock_send_length and sock_recv_length, of Linux 6.3
 * (net/socket.c); nothing else is touched. `syscall`: the end of system calls, from Linux 5.14 on; every system call of
 * the host then goes the kernel's way for traced ones, so it costs more.
 */
export type Hooks = 'socket' | 'syscall'
export type HooksChoice = 'auto' | Hooks

export const HOOKS_CHOICES = ['auto', 'socket', 'syscall'] as const satisfies readonly HooksChoice[]

export const KERNEL_TYPES = '/sys/kernel/btf/vmlinux'

/** Tracepoints of bpf/capture/shared_entry_points.h. */
const SHARED_TRACEPOINTS = [
  'inet_sock_set_state',
  'tcp_destroy_sock',
  'sched_process_fork',
  'sched_process_exec',
  'sched_process_exit',
] as const

/** … and of the two captures. */
const OWN_TRACEPOINTS: Readonly<Record<Hooks, readonly string[]>> = {
  socket: ['sock_send_length', 'sock_recv_length'],
  syscall: ['sys_exit'],
}

/** What the capture with these hooks is attached to. */
export function tracepointsOf(hooks: Hooks): readonly string[] {
  return [...OWN_TRACEPOINTS[hooks], ...SHARED_TRACEPOINTS]
}

/** Those of these tracepoints that this kernel does not have; throws where it has no BTF. */
export function missingTracepoints(names: readonly string[], kernelTypes = KERNEL_TYPES): string[] {
  const types = readFileSync(kernelTypes)
  return names.filter(name => !types.includes(`\0btf_trace_${name}\0`))
}

/** The hooks to try, best first, and why it is not the cheapest ones. */
export function hooksInOrder(choice: HooksChoice, kernelTypes = KERNEL_TYPES): readonly Hooks[] {
  if (choice !== 'auto') return [choice]
  try {
    if (missingTracepoints(OWN_TRACEPOINTS.socket, kernelTypes).length > 0) return ['syscall']
  } catch {
    // Without BTF nothing loads: the error of the usual capture is the one to tell.
  }
  return ['socket', 'syscall']
}

/** One line on what is used, and what it costs beside the cheapest. */
export function hooksInWords(hooks: Hooks): string {
  return hooks === 'socket'
    ? 'socket tracepoints: nothing is added to calls that are not on sockets'
    : `system calls (Linux ${release()}): every system call of this host pays for it; \`npm run bench:kernel\` shows how much`
}
