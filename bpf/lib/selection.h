/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which processes are traced, and which connections are our own. */
#ifndef GHOSTSPAN_SELECTION_H
#define GHOSTSPAN_SELECTION_H

#include "../maps/own_endpoints.h"
#include "../maps/process_by_tgid.h"
#include "config.h"
#include "lost.h"
#include "socket.h"

static __always_inline __u32 decision_of(const __u32 tgid)
{
    const __u32 *decision = bpf_map_lookup_elem(&process_by_tgid, &tgid);
    return decision ? *decision : default_decision;
}

static __always_inline bool is_own(const __u32 decision)
{
    return decision == k_process_own || decision == k_process_own_tree;
}

static __always_inline void read_endpoints(const struct sock *sk, struct endpoint_pair *pair)
{
    __builtin_memset(pair, 0, sizeof(*pair));
    read_addresses(sk, (__u32 *)pair->local_address, (__u32 *)pair->remote_address);
    pair->local_port = sk->__sk_common.skc_num;
    pair->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
    pair->namespace = namespace_of(sk);
}

static __noinline int note_own_endpoints(struct sock *sk)
{
    struct endpoint_pair pair;
    const __u8 present = 1;
    read_endpoints(sk, &pair);
    if (bpf_map_update_elem(&own_endpoints, &pair, &present, BPF_ANY))
        count_lost(k_lost_map_full);
    return 0;
}

/* Is the far end of this connection one of our own sockets? */
static __noinline int far_end_is_own(struct sock *sk)
{
    struct endpoint_pair near, far;
    read_endpoints(sk, &near);
    far = near;
    __builtin_memcpy(far.local_address, near.remote_address, sizeof(far.local_address));
    __builtin_memcpy(far.remote_address, near.local_address, sizeof(far.remote_address));
    far.local_port = near.remote_port;
    far.remote_port = near.local_port;
    return bpf_map_lookup_elem(&own_endpoints, &far) != NULL;
}

#endif
