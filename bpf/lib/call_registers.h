/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Number and arguments of the system call that the thread is in. x86-64. */
#ifndef GHOSTSPAN_CALL_REGISTERS_H
#define GHOSTSPAN_CALL_REGISTERS_H

#include "kernel.h"

struct call_registers {
    __u64 orig_ax; /* the number */
    __u64 ax;      /* the result, once there is one */
    __u64 di;
    __u64 si;
    __u64 dx;
    __u64 r8;
};

enum { k_kernel_stack_bytes = 16384 }; /* THREAD_SIZE, arch/x86/include/asm/page_64_types.h, without KASAN */

static __always_inline void take_registers(const struct pt_regs *from, struct call_registers *into)
{
    into->orig_ax = from->orig_ax;
    into->ax = from->ax;
    into->di = from->di;
    into->si = from->si;
    into->dx = from->dx;
    into->r8 = from->r8;
}

static __always_inline void read_registers(const struct task_struct *task, struct call_registers *into)
{
#ifdef GHOSTSPAN_SYSTEM_CALLS
    /* bpf_task_pt_regs() is of Linux 5.15; before, they are known to lie at the upper end of the kernel's stack. */
    if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) {
        struct pt_regs copy = {};
        bpf_probe_read_kernel(&copy, sizeof(copy), task->stack + k_kernel_stack_bytes - sizeof(copy));
        take_registers(&copy, into);
        return;
    }
#endif
    take_registers((const struct pt_regs *)bpf_task_pt_regs((struct task_struct *)task), into);
}

/*
 * While a system call runs its ax is -ENOSYS. Otherwise the registers tell of a call that is over: io_uring works on
 * the way out of any call. Its worker threads hold copies of somebody's registers. What is told after the system call
 * has its result there.
 */
static __always_inline bool tell_of_this_call(const struct task_struct *task, const struct call_registers *registers)
{
#ifdef GHOSTSPAN_SYSTEM_CALLS
    return true;
#else
    return registers->ax == (unsigned long)-k_enosys && !(task->flags & k_pf_io_worker) &&
           !(task->thread_info.status & k_ts_compat);
#endif
}

#endif
