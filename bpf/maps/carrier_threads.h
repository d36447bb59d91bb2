/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_CARRIER_THREADS_H
#define GHOSTSPAN_MAPS_CARRIER_THREADS_H

#include "../lib/kernel.h"

/* Addresses that stay the same as long as the thread lives in this program; 0: not found yet. */
struct carrier_thread {
    __u32 generation; /* of the carrier_config that they were found by */
    __u32 checked;    /* bits of enum carrier_kind: what lies there has been checked */
    __u64 greenlet_state; /* of the pointer to greenlet's ThreadState */
    __u64 python_state;   /* of the pointer to the PyThreadState */
    __u32 phases;   /* of a loop's phases that no read begins: how many there were, node.h */
    __u32 in_phase; /* no read has come since the last one began */
    __u64 work;     /* in such a phase: the end of this work of the thread pool; 0: of none that is known */
};

/* Lives and dies with the thread in the kernel, so that a reused thread id finds nothing. */
struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct carrier_thread);
} carrier_threads SEC(".maps");

#endif
