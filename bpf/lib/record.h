/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Records that every kind of event shares. */
#ifndef GHOSTSPAN_RECORD_H
#define GHOSTSPAN_RECORD_H

#include "../maps/events.h"
#include "lost.h"

static __always_inline void fill_header(
    struct event_header *header, const __u32 size, const __u8 op, const __u8 flags, const __u32 pid, const __u32 tid)
{
    header->size = size;
    header->op = op;
    header->flags = flags;
    header->loss_epoch = loss_epoch;
    header->time_ns = bpf_ktime_get_ns();
    header->pid = pid;
    header->tid = tid;
    header->carrier = 0;
    header->carrier_parent = 0;
}

#endif
