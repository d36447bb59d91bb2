/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_CARRIER_CONFIGS_H
#define GHOSTSPAN_MAPS_CARRIER_CONFIGS_H

#include "../lib/kernel.h"

/*
 * thread group -> how to find out which greenlet, task or goroutine a thread of it runs; none: threads are all there is.
 * Inserted: by user space, once it knows; at sched_process_fork, from the parent's entry (same address space).
 * Deleted: at sched_process_exec, at sched_process_exit of the last thread, by user space.
 * Read: at every captured call of such a process, at its births, when a connection meets a process.
 */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u32);
    __type(value, struct carrier_config);
} carrier_configs SEC(".maps");

#endif
