/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The thread pointers of a process' threads, so that user space can check an address before the kernel relies on it. */
#ifndef GHOSTSPAN_CARRIERS_THREADS_H
#define GHOSTSPAN_CARRIERS_THREADS_H

#include "../kernel.h"
#include "user_memory.h"

struct thread_pointer { /* 16 bytes; src/capture/carriers/carrier-kernel.ts reads it */
    __u32 pid;
    __u32 tid;
    __u64 address;
};

static __always_inline int tell_thread(struct bpf_iter__task *context)
{
    struct task_struct *task = context->task;
    if (!task)
        return 0;
    struct thread_pointer thread = {.pid = task->tgid, .tid = task->pid, .address = thread_pointer_of(task)};
    if (thread.address)
        bpf_seq_write(context->meta->seq, &thread, sizeof(thread));
    return 0;
}

#endif
