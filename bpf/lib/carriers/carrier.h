/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which greenlet, task or goroutine runs in this thread now. One header a kind; this one asks those that the process has. */
#ifndef GHOSTSPAN_CARRIERS_CARRIER_H
#define GHOSTSPAN_CARRIERS_CARRIER_H

#include "../../maps/carrier_configs.h"
#include "../../maps/carrier_threads.h"
#include "../../maps/queued_writes.h"
#include "../call_registers.h"
#include "../config.h"
#include "asyncio.h"
#include "greenlet.h"

struct carrier {
    __u64 id;     /* 0: the thread itself */
    __u64 parent; /* as event_header.carrier_parent */
    __u32 flags;  /* k_flag_carrier once it was found */
    __u32 look; /* enum carrier_look: some kinds look further at what is written than at what is read */
};

enum carrier_look {
    k_look_other = 0, /* connect(), births */
    k_look_sending = 1,
    k_look_receiving = 2,
};

static __always_inline struct carrier_config *carriers_of(const __u32 tgid)
{
    return carriers_enabled ? bpf_map_lookup_elem(&carrier_configs, &tgid) : NULL;
}

static __always_inline struct carrier_thread *carrier_thread_of(
    struct task_struct *task, const struct carrier_config *config)
{
    struct carrier_thread *thread =
        bpf_task_storage_get(&carrier_threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (thread && unlikely(thread->generation != config->generation)) {
        __builtin_memset(thread, 0, sizeof(*thread));
        thread->generation = config->generation;
    }
    return thread;
}

/* In a thread of a loop that gathers writes nothing but this says for whom it writes. */
static __always_inline bool take_queued_writer(struct task_struct *task, struct carrier *found)
{
    struct call_registers registers;
    read_registers(task, &registers);
    const __u64 key = ((__u64)task->tgid << 32) | (__u32)registers.di;
    const struct queued_write *queued = bpf_map_lookup_elem(&queued_writes, &key);
    if (!queued)
        return false;
    found->id = queued->carrier;
    const bool known = queued->flags & k_flag_carrier;
    bpf_map_delete_elem(&queued_writes, &key);
    return known;
}

/* A greenlet may run inside an asyncio task (SQLAlchemy does so): it is the narrower of the two. */
static __always_inline bool find_python_carrier(
    struct carrier_config *config, struct task_struct *task, struct carrier *found)
{
    struct carrier_thread *thread = carrier_thread_of(task, config);
    if (!thread)
        return false;
    const __u64 thread_pointer = thread_pointer_of(task);
    if ((config->kinds & k_carrier_greenlet) && !find_greenlet(config, thread, thread_pointer, &found->id))
        return false;
    if (found->id || !(config->kinds & k_carrier_asyncio))
        return true;
    if (found->look == k_look_sending && (thread->checked & k_carrier_uvloop) && (config->kinds & k_carrier_uvloop))
        return take_queued_writer(task, found);
    return find_context(config, thread, thread_pointer, &found->id);
}

/* node.h: a phase of the loop that no read began lasts until the next read. */
static __always_inline bool find_phase(
    struct carrier_config *config, struct task_struct *task, struct carrier *found)
{
    struct carrier_thread *thread = carrier_thread_of(task, config);
    if (!thread)
        return false;
    if (found->look == k_look_receiving)
        thread->in_phase = 0;
    if (thread->in_phase)
        found->id = thread->work ? thread->work : 2 * (__u64)thread->phases + 1;
    return true;
}

/*
 * Fills `found`; without k_flag_carrier in its flags nothing is known. `look`: enum carrier_look.
 * Not static: the verifier looks at it once, by itself.
 */
__noinline int find_carrier(const __u32 tgid, const __u32 look, struct carrier *found)
{
    if (!found)
        return 0;
    __builtin_memset(found, 0, sizeof(*found));
    found->look = look;
    struct carrier_config *config = carriers_of(tgid);
    if (!config)
        return 0;
    struct task_struct *task = bpf_get_current_task_btf();
    bool known = false;
    config->counts.lookups++;
    if (config->kinds & (k_carrier_greenlet | k_carrier_asyncio))
        known = find_python_carrier(config, task, found);
    else if (config->kinds & k_carrier_node)
        known = find_phase(config, task, found);
    if (known)
        found->flags = k_flag_carrier;
    else
        found->id = found->parent = 0;
    return 0;
}

#endif
