/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_LOST_H
#define GHOSTSPAN_LOST_H

#include "../maps/lost_by_cause.h"
#include "kernel.h"

/*
 * Every record carries it, so that user space sees where something is missing. Not atomic: it need only differ after a
 * loss, and losses are rare.
 */
__u16 loss_epoch = 0;

static __always_inline void count_lost(const enum lost_cause cause)
{
    __u32 key = cause;
    __u64 *count = bpf_map_lookup_elem(&lost_by_cause, &key);
    if (count)
        __sync_fetch_and_add(count, 1);
    if (cause == k_lost_ring_full)
        loss_epoch++;
}

#endif
