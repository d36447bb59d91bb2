/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_PROCESS_BY_TGID_H
#define GHOSTSPAN_MAPS_PROCESS_BY_TGID_H

#include "../lib/kernel.h"

/*
 * thread group -> enum process_decision; a process without an entry has default_decision.
 * Inserted: by user space (selection rules, our own processes); at sched_process_fork, from the parent's entry.
 * Deleted: at sched_process_exit of the last thread.
 * Read: when a connection meets a process for the first time, and after selection_epoch grew.
 */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u32);
    __type(value, __u32);
} process_by_tgid SEC(".maps");

#endif
