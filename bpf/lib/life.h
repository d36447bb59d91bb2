/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is neither sent nor received: connect(), listen(), the end of a connection, and the lives of processes. */
#ifndef GHOSTSPAN_LIFE_H
#define GHOSTSPAN_LIFE_H

#include "../maps/process_by_tgid.h"
#include "connection.h"
#include "record.h"
#include "selection.h"

static __always_inline void tell_process(
    const __u8 op, const __u32 pid, const __u32 tid, const __u32 parent, const struct task_struct *task)
{
    struct process_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
    if (!event) {
        count_lost(k_lost_ring_full);
        return;
    }
    fill_header(&event->header, sizeof(*event), op, 0, pid, tid);
    event->parent = parent;
    event->reserved = 0;
    __builtin_memcpy(event->comm, task->comm, sizeof(event->comm));
    bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/* In the connecting thread; the socket may have no port of its own yet. */
static __always_inline int on_connecting(struct sock *sk)
{
    const struct task_struct *task = bpf_get_current_task_btf();
    const __u32 decision = decision_of(task->tgid);
    struct socket_state *state = make_state(sk);
    if (!state) {
        if (decision == k_process_traced)
            count_lost(k_lost_storage_failed);
        return 0;
    }
    end_connection(state);
    /* A socket may be connected again: all of its former life is forgotten. tgid 0: the first call looks again. */
    const __u32 identity = state->identity;
    __builtin_memset(state, 0, sizeof(*state));
    state->identity = identity;
    if (is_own(decision)) {
        state->flags = k_socket_own;
        return 0;
    }
    state->role = k_role_opened;
    begin_connection(state, k_transport_tcp);
    collect_port_policy(sk, state);
    if (decision == k_process_traced) {
        struct carrier carrier;
        find_carrier(task->tgid, 0, &carrier);
        if (!tell_connection(sk, state, k_op_connect, task, &carrier))
            set_flags(state, k_socket_connecting);
    }
    return 0;
}

static __always_inline int on_state(struct sock *sk, const int before, const int after)
{
    if (field(sk, sk_protocol) != k_ipproto_tcp)
        return 0;
    if (after == TCP_SYN_SENT)
        return on_connecting(sk);
    if (before == TCP_SYN_SENT && after == TCP_ESTABLISHED) {
        struct socket_state *state = state_of(sk);
        if (state && (state->flags & k_socket_own)) {
            state->role = k_role_opened;
            read_key(sk, state, true);
            note_own_connection(state);
        }
        return 0;
    }
    if (after == TCP_LISTEN) {
        const struct task_struct *task = bpf_get_current_task_btf();
        if (!is_own(decision_of(task->tgid)))
            tell_process(k_op_listen, task->tgid, task->pid, field(sk, __sk_common.skc_num), task);
    }
    return 0;
}

static __always_inline int on_destroy(struct sock *sk)
{
    struct socket_state *state = state_of(sk);
    if (!state)
        return 0;
    end_connection(state);
    forget_state(sk);
    return 0;
}

/* A new thread works for whom its creator works for. */
static __always_inline int on_new_thread(const struct task_struct *creator, const struct task_struct *thread)
{
    if (decision_of(creator->tgid) != k_process_traced)
        return 0;
    struct carrier carrier;
    find_carrier(creator->tgid, 0, &carrier);
    struct task_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
    if (!event) {
        count_lost(k_lost_ring_full);
        return 0;
    }
    const __u8 flags = k_flag_thread | carrier.flags;
    fill_header(&event->header, sizeof(*event), k_op_task_birth, flags, creator->tgid, creator->pid);
    event->header.carrier = carrier.id;
    event->header.carrier_parent = carrier.parent;
    event->task = thread->pid;
    event->reserved = 0;
    bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
    return 0;
}

/* The child has the same program at the same addresses. */
static __always_inline void inherit_carriers(const __u32 from, const __u32 pid)
{
    const struct carrier_config *config = carriers_of(from);
    if (!config)
        return;
    if (bpf_map_update_elem(&carrier_configs, &pid, config, BPF_ANY)) {
        count_lost(k_lost_map_full);
        return;
    }
    struct carrier_config *own = bpf_map_lookup_elem(&carrier_configs, &pid);
    if (own)
        __builtin_memset(&own->counts, 0, sizeof(own->counts));
}

static __always_inline int on_fork(const struct task_struct *parent, const struct task_struct *child)
{
    const __u32 from = parent->tgid, pid = child->tgid;
    if (from == pid)
        return on_new_thread(parent, child);
    const __u32 *entry = bpf_map_lookup_elem(&process_by_tgid, &from);
    const __u32 decision = entry ? *entry : default_decision;
    if (entry && decision != k_process_own && bpf_map_update_elem(&process_by_tgid, &pid, &decision, BPF_ANY))
        count_lost(k_lost_map_full);
    inherit_carriers(from, pid);
    if (decision == k_process_traced)
        tell_process(k_op_fork, pid, child->pid, from, child);
    return 0;
}

/* Also of processes that are not traced: what they have become may be what the selection asks for. */
static __always_inline int on_exec(const struct task_struct *task)
{
    const __u32 pid = task->tgid;
    if (carriers_enabled)
        bpf_map_delete_elem(&carrier_configs, &pid);
    if (!is_own(decision_of(pid)))
        tell_process(k_op_exec, pid, task->pid, 0, task);
    return 0;
}

static __always_inline int on_exit(const struct task_struct *task)
{
    const __u32 pid = task->tgid;
    if (task->signal->live.counter > 0)
        return 0;
    const __u32 decision = decision_of(pid);
    bpf_map_delete_elem(&process_by_tgid, &pid);
    if (carriers_enabled)
        bpf_map_delete_elem(&carrier_configs, &pid);
    if (!is_own(decision))
        tell_process(k_op_exit, pid, task->pid, 0, task);
    return 0;
}

#endif
