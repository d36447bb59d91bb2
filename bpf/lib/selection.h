/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which processes are traced, and which connections are our own. */
#ifndef GHOSTSPAN_SELECTION_H
#define GHOSTSPAN_SELECTION_H

#include "../maps/own_connections.h"
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

static __always_inline void note_own_connection(const struct socket_state *state)
{
    const struct connection_key key = {.near_isn = state->local_isn, .far_isn = state->remote_isn};
    const __u8 present = 1;
    if (bpf_map_update_elem(&own_conns, &key, &present, BPF_ANY))
        count_lost(k_lost_map_full);
}

/* Is the far end of this connection one of our own sockets? */
static __always_inline bool far_end_is_own(const struct socket_state *state)
{
    const struct connection_key key = {.near_isn = state->remote_isn, .far_isn = state->local_isn};
    return bpf_map_lookup_elem(&own_conns, &key) != NULL;
}

#endif
