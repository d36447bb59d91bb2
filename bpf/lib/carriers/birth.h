/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Births of carriers, told from uprobes: the running carrier is the spawner. */
#ifndef GHOSTSPAN_CARRIERS_BIRTH_H
#define GHOSTSPAN_CARRIERS_BIRTH_H

#include "../record.h"
#include "carrier.h"

/* The probe sits in a file that processes without an entry in carrier_configs have mapped, too. */
static __always_inline int on_birth(const __u64 task, const __u32 kind)
{
    const __u64 both = bpf_get_current_pid_tgid();
    const __u32 tgid = both >> 32;
    struct carrier_config *config = carriers_of(tgid);
    if (!config || !(config->kinds & kind) || !task)
        return 0;
    struct carrier spawner;
    find_carrier(tgid, 0, &spawner);
    config->counts.births++;
    struct task_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
    if (!event) {
        count_lost(k_lost_ring_full);
        return 0;
    }
    fill_header(&event->header, sizeof(*event), k_op_task_birth, spawner.flags, tgid, (__u32)both);
    event->header.carrier = spawner.id;
    event->header.carrier_parent = spawner.parent;
    event->task = task;
    event->reserved = 0;
    bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
    return 0;
}

#endif
