/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Node.js: a thread works for what it read last, except in the phases of its loop that run callbacks which no read
 * brought: timers, setImmediate, completions of the thread pool (files, DNS). A probe marks their beginning, the next
 * read their end. The carrier of a call in between is an odd number made of the phase's; at the end of work of the pool
 * that was seen to be ordered (birth.h) it is that work's address. 0 outside of them.
 */
#ifndef GHOSTSPAN_CARRIERS_NODE_H
#define GHOSTSPAN_CARRIERS_NODE_H

#include "../../maps/carrier_threads.h"
#include "carrier.h"

/* The running thread begins such a phase. In processes without an entry of this kind nothing happens. */
static __always_inline void begin_phase(const __u32 tgid, const __u64 work)
{
    struct carrier_config *config = carriers_of(tgid);
    if (!config || !(config->kinds & k_carrier_node))
        return;
    struct carrier_thread *thread = carrier_thread_of(bpf_get_current_task_btf(), config);
    if (!thread)
        return;
    thread->phases++;
    thread->in_phase = 1;
    thread->work = work;
}

/* A read that user space is told nothing of: what its callback does is not what the last one told of was for. */
static __noinline int on_unseen_read(const __u32 tgid)
{
    begin_phase(tgid, 0);
    return 0;
}

#endif
