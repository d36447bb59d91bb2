/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Copies that are too long or too scattered for the ring itself: put together in the scratch record. */
#ifndef GHOSTSPAN_PAYLOAD_H
#define GHOSTSPAN_PAYLOAD_H

#include "../maps/record_scratch.h"
#include "lost.h"
#include "user_buffer.h"

enum gather_step { k_gather_on, k_gather_done, k_gather_fault };

static __noinline int gather_segment(struct record_scratch *scratch, const __u64 base, const __u64 length)
{
    struct copy_cursor *cursor = &scratch->cursor;
    const __u64 from = cursor->from;
    if (from >= length) {
        cursor->from = from - length;
        return k_gather_on;
    }
    __u64 take = length - from;
    const __u32 missing = cursor->missing;
    if (take > missing)
        take = missing;
    __u32 at = cursor->at;
    asm volatile("" : "+r"(at), "+r"(take));
    if (take > k_head_limit || at >= k_head_limit + k_tail_limit)
        return k_gather_done;
    if (bpf_probe_read_user(&scratch->payload[at], take, (void *)(base + from)))
        return k_gather_fault;
    cursor->from = 0;
    cursor->at = at + take;
    cursor->missing = missing - take;
    return missing == take ? k_gather_done : k_gather_on;
}

/*
 * Copies bytes [from, from + wanted) of what the buffer holds to payload[at]; at and wanted at most k_head_limit.
 * Returns how many are missing (the segments are too many), negative when memory could not be read.
 */
static __noinline int gather(
    struct record_scratch *scratch, const struct user_buffer *buffer, const __u64 from, const __u32 wanted,
    const __u32 at)
{
    scratch->cursor = (struct copy_cursor){.from = from, .at = at, .missing = wanted};
    if (buffer->base)
        return gather_segment(scratch, buffer->base, from + wanted) == k_gather_fault ? -1 : 0;
    for (__u32 i = 0; i < k_segment_limit && i < buffer->count; i++) {
        struct segment segment;
        if (bpf_probe_read_user(&segment, sizeof(segment), (void *)(buffer->segments + i * sizeof(segment))))
            return -1;
        const int step = gather_segment(scratch, segment.base, segment.length);
        if (step == k_gather_fault)
            return -1;
        if (step == k_gather_done)
            break;
    }
    return scratch->cursor.missing;
}

#endif
