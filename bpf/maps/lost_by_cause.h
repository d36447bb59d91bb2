/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_LOST_BY_CAUSE_H
#define GHOSTSPAN_MAPS_LOST_BY_CAUSE_H

#include "../lib/kernel.h"

/*
 * How often each cause of loss struck, a counter per CPU. Grows only; user space sums and reports the differences.
 */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, k_lost_causes);
    __type(key, __u32);
    __type(value, __u64);
} lost_by_cause SEC(".maps");

#endif
