/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The life of a connection: begun, announced, ended. */
#ifndef GHOSTSPAN_CONNECTION_H
#define GHOSTSPAN_CONNECTION_H

#include "../maps/socket_states.h"
#include "../maps/unix_connections.h"
#include "call_sketch.h"
#include "carriers/carrier.h"
#include "policy.h"
#include "record.h"
#include "selection.h"
#include "socket.h"

__u64 connections_begun = 0;

/*
 * Gives the connection its id, once, even when its first calls run at the same time on two CPUs: all else that is set
 * here is the same whoever sets it.
 */
static __always_inline void begin_connection(struct socket_state *state, const __u8 transport)
{
    const __u64 connection = __sync_fetch_and_add(&connections_begun, 1) + 1;
    state->transport = transport;
    state->policy = policy_epoch;
    set_undecided(state);
    __sync_val_compare_and_swap(&state->connection, 0, connection);
}

static __always_inline int tell_connection(
    struct sock *sk, const struct socket_state *state, const __u8 op, const struct task_struct *task,
    const struct carrier *carrier)
{
    struct connection_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
    if (!event) {
        count_lost(k_lost_ring_full);
        return -1;
    }
    const __u8 flags = carrier->flags | (state->flags & k_socket_midlife ? k_flag_midlife : 0);
    fill_header(&event->header, sizeof(*event), op, flags, task->tgid, task->pid);
    event->header.carrier = carrier->id;
    event->header.carrier_parent = carrier->parent;
    event->connection = state->connection;
    event->local_isn = state->local_isn;
    event->remote_isn = state->remote_isn;
    event->role = state->role;
    event->transport = state->transport;
    if (state->transport != k_transport_unix) {
        event->family = read_addresses(sk, (__u32 *)event->local_address, (__u32 *)event->remote_address);
        event->local_port = field(sk, __sk_common.skc_num);
        event->remote_port = bpf_ntohs(field(sk, __sk_common.skc_dport));
        event->local_identity = namespace_of(sk);
        event->remote_identity = 0;
    } else {
        event->family = k_af_unix;
        event->local_port = event->remote_port = 0;
        __builtin_memset(event->local_address, 0, sizeof(event->local_address));
        __builtin_memset(event->remote_address, 0, sizeof(event->remote_address));
        event->local_identity = inode_of(sk);
        event->remote_identity = state->peer;
    }
    bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
    return 0;
}

/*
 * Before a connection's first data event, and for Unix again once the peer is known: 0 if user space knows (or will
 * know) this connection, negative if its data events must wait.
 */
static __noinline int announce(
    struct sock *sk, struct socket_state *state, const struct task_struct *task, const struct carrier *carrier)
{
    const bool again = state->flags & k_socket_announced;
    if (state->transport == k_transport_unix) {
        const __u32 peer = peer_inode_of(sk);
        if (again && !peer)
            return 0;
        state->peer = peer;
    }
    if (tell_connection(sk, state, k_op_connection, task, carrier))
        return again ? 0 : -1;
    set_flags(state, state->transport == k_transport_tcp || state->peer ? k_socket_announced | k_socket_complete
                                                                         : k_socket_announced);
    if (state->transport == k_transport_unix && !again) {
        const __u32 inode = inode_of(sk);
        const __u64 connection = state->connection;
        if (bpf_map_update_elem(&unix_conns, &inode, &connection, BPF_ANY))
            count_lost(k_lost_map_full);
    }
    return 0;
}

static __always_inline void tell_close(
    const __u64 connection, const __u32 pid, const __u64 calls, const __u64 sent, const __u64 received)
{
    struct close_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
    if (!event) {
        count_lost(k_lost_ring_full);
        return;
    }
    fill_header(&event->header, sizeof(*event), k_op_close, 0, pid, 0);
    event->connection = connection;
    event->uncopied_calls = calls;
    event->uncopied_sent_bytes = sent;
    event->uncopied_received_bytes = received;
    event->reserved = 0;
    bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

static __always_inline void end_connection(struct socket_state *state)
{
    const struct way *sending = &state->ways[k_sending], *receiving = &state->ways[k_receiving];
    if (!(state->flags & (k_socket_announced | k_socket_connecting)))
        return;
    tell_close(state->connection, state->tgid, sending->uncopied_calls + receiving->uncopied_calls,
               sending->uncopied_bytes, receiving->uncopied_bytes);
    clear_flags(state, k_socket_announced | k_socket_complete | k_socket_connecting | k_socket_traced);
}

/* The peer of a Unix socket is gone, and with it all that this end can ever hear: the end of both connections. */
static __noinline int end_unix_pair(struct sock *sk, struct socket_state *state)
{
    const __u32 own = inode_of(sk), peer = state->peer;
    const __u64 *far = bpf_map_lookup_elem(&unix_conns, &peer);
    if (far) {
        tell_close(*far, 0, 0, 0, 0);
        bpf_map_delete_elem(&unix_conns, &peer);
    }
    bpf_map_delete_elem(&unix_conns, &own);
    end_connection(state);
    return 0;
}

static __always_inline void begin_unix(struct sock *sk, struct socket_state *state)
{
    state->role = unix_role_of(sk);
    begin_connection(state, k_transport_unix);
}

/* False when it is the far end of a connection of our own. `moved` bytes were moved by the call that is going on. */
static __always_inline bool begin_tcp(struct sock *sk, struct socket_state *state, const __u32 moved)
{
    if (!(state->flags & k_socket_keyed))
        read_key(sk, state, false);
    if (far_end_is_own(state))
        return false;
    if (state->connection) /* connect() was seen */
        return true;
    const struct tcp_sock *tcp = as_kernel(tcp_sock, sk);
    const __u32 sent = field(tcp, write_seq) - state->local_isn - sent_fin(sk, tcp);
    const __u32 received = field(tcp, copied_seq) - state->remote_isn - consumed_fin(sk, tcp);
    if (sent + received != moved)
        set_flags(state, k_socket_midlife);
    begin_connection(state, k_transport_tcp);
    collect_port_policy(sk, state);
    return true;
}

/* Is there more than threads in the process that has the socket now? */
static __always_inline void note_carriers(struct socket_state *state, const __u32 tgid)
{
    if ((state->flags & k_socket_traced) && carriers_of(tgid))
        set_flags(state, k_socket_carriers);
    else
        clear_flags(state, k_socket_carriers);
}

/* A socket of our own process. */
static __always_inline void leave_own(struct sock *sk, struct socket_state *state, const __u8 transport)
{
    if (state->flags & k_socket_own)
        return;
    set_flags(state, k_socket_own);
    if (transport == k_transport_tcp) {
        read_key(sk, state, false);
        note_own_connection(state);
    }
}

/*
 * A socket meets a process, or the selection changed: may it be traced, and has it all it needs for that? Who is using
 * it is noted last: a call on another CPU comes here too, until all is in place.
 */
static __noinline struct socket_state *take_up(
    struct sock *sk, struct socket_state *state, const __u32 tgid, const __u32 moved)
{
    const __u8 transport = transport_of(sk);
    const __u32 decision = decision_of(tgid);
    bool traced = decision == k_process_traced;
    if (!transport) {
        if (traced)
            count_lost(k_lost_protocol);
        return NULL;
    }
    if (!state) {
        state = make_state(sk);
        if (!state) {
            if (traced)
                count_lost(k_lost_storage_failed);
            return NULL;
        }
    }
    if (is_own(decision))
        leave_own(sk, state, transport);
    traced = traced && !(state->flags & k_socket_own);
    if (traced && transport == k_transport_unix && !state->connection)
        begin_unix(sk, state);
    if (traced && transport == k_transport_tcp && !begin_tcp(sk, state, moved)) {
        set_flags(state, k_socket_own);
        traced = false;
    }
    if (traced && state->tgid != tgid)
        begin_sketch(sk, state, tgid);
    if (traced)
        set_flags(state, k_socket_traced);
    else
        clear_flags(state, k_socket_traced);
    note_carriers(state, tgid);
    state->selection = selection_epoch;
    barrier();
    state->tgid = tgid;
    return state;
}

#endif
