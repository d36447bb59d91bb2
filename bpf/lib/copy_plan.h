/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How many bytes of a call to copy. Pure: no map, no helper, compiles on the host (test/bpf/copy-plan.test.ts).
 */
#ifndef GHOSTSPAN_COPY_PLAN_H
#define GHOSTSPAN_COPY_PLAN_H

#ifdef __bpf__
#define PLAN_INLINE static __always_inline
#else
#include <linux/types.h>
#define PLAN_INLINE static inline
#endif

struct copy_plan {
    __u32 head;
    __u32 tail;
};

/* Head and tail of a call of `length` bytes, disjoint: what the head covers is not copied twice. */
PLAN_INLINE struct copy_plan plan_copy(const __u32 length, const __u32 head_wanted, const __u32 tail_wanted)
{
    struct copy_plan plan = {.head = length < head_wanted ? length : head_wanted, .tail = 0};
    const __u32 rest = length - plan.head;
    plan.tail = rest < tail_wanted ? rest : tail_wanted;
    return plan;
}

/*
 * Position of a call's first byte in its direction. `next` is the sequence number after the call (write_seq,
 * copied_seq), `first` that of the direction's first byte; a consumed FIN counts one in `next`. Modulo 2^32.
 */
PLAN_INLINE __u32 position_before(const __u32 next, const __u32 first, const __u32 length, const __u32 fin)
{
    return next - fin - length - first;
}

/* Did this end open the connection? Only an opener has its SYN among the acknowledged bytes (RFC 4898, tcp_ack()). */
PLAN_INLINE __u32 counts_syn(
    const __u32 acked, const __u32 in_flight, const __u32 sent_once, const __u32 fin_sent)
{
    return acked + in_flight - sent_once - fin_sent == 1;
}

#endif
