/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Reads of a process' memory on behalf of carriers, counted per process where they fail. */
#ifndef GHOSTSPAN_CARRIERS_USER_MEMORY_H
#define GHOSTSPAN_CARRIERS_USER_MEMORY_H

#include "../kernel.h"

static __always_inline bool read_user(
    struct carrier_config *config, void *into, const __u32 bytes, const __u64 address)
{
    if (!bpf_probe_read_user(into, bytes, (void *)address))
        return true;
    config->counts.faults++;
    return false;
}

static __always_inline bool read_user_word(struct carrier_config *config, __u64 *into, const __u64 address)
{
    return read_user(config, into, sizeof(*into), address);
}

/* What the C library calls the thread pointer: pthread_self() on x86-64. */
static __always_inline __u64 thread_pointer_of(const struct task_struct *task)
{
    return task->thread.fsbase;
}

#endif
