/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What to copy of a connection's calls. */
#ifndef GHOSTSPAN_POLICY_H
#define GHOSTSPAN_POLICY_H

#include "../maps/policy_by_connection.h"
#include "../maps/policy_by_port.h"
#include "config.h"
#include "socket.h"

static __always_inline __u16 at_most(const __u16 value, const __u16 limit)
{
    return value < limit ? value : limit;
}

static __always_inline __u16 larger(const __u16 a, const __u16 b)
{
    return a > b ? a : b;
}

static __always_inline void set_undecided(struct socket_state *state)
{
    for (int i = 0; i < k_directions; i++) {
        state->ways[i].head = k_undecided_head;
        state->ways[i].tail = k_undecided_tail;
        state->ways[i].opening = k_opening_calls;
    }
}

/* An end whose role is not known gets the larger of both. */
static __always_inline void set_policy(
    struct socket_state *state, const struct copy_policy *policy, const bool count_only)
{
    const __u16 client_head = at_most(policy->client_head, k_head_limit);
    const __u16 server_head = at_most(policy->server_head, k_head_limit);
    const __u16 client_tail = at_most(policy->client_tail, k_tail_limit);
    const __u16 server_tail = at_most(policy->server_tail, k_tail_limit);
    struct way *sending = &state->ways[k_sending], *receiving = &state->ways[k_receiving];
    if (state->role == k_role_opened) {
        sending->head = client_head, sending->tail = client_tail;
        receiving->head = server_head, receiving->tail = server_tail;
    } else if (state->role == k_role_accepted) {
        sending->head = server_head, sending->tail = server_tail;
        receiving->head = client_head, receiving->tail = client_tail;
    } else {
        sending->head = receiving->head = larger(client_head, server_head);
        sending->tail = receiving->tail = larger(client_tail, server_tail);
    }
    sending->opening = receiving->opening = 0;
    set_flags(state, k_socket_decided);
    if (count_only)
        set_flags(state, k_socket_count_only);
    else
        clear_flags(state, k_socket_count_only);
}

static __noinline int collect_policy(struct socket_state *state)
{
    const __u64 connection = state->connection;
    state->policy = policy_epoch;
    const struct copy_policy *policy = bpf_map_lookup_elem(&policy_by_conn, &connection);
    if (!policy)
        return 0;
    set_policy(state, policy, policy->count_only);
    bpf_map_delete_elem(&policy_by_conn, &connection);
    return 0;
}

static __always_inline void collect_port_policy(const struct sock *sk, struct socket_state *state)
{
    __u32 port = 0;
    if (state->role == k_role_opened)
        port = bpf_ntohs(field(sk, __sk_common.skc_dport));
    else if (state->role == k_role_accepted)
        port = field(sk, __sk_common.skc_num);
    const struct copy_policy *policy = bpf_map_lookup_elem(&policy_by_port, &port);
    if (!policy)
        return;
    const bool leaf = !policy->only_local_peers || (state->role == k_role_accepted && both_ends_here(sk));
    set_policy(state, policy, policy->count_only && leaf);
}

#endif
