/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_POLICY_BY_CONNECTION_H
#define GHOSTSPAN_MAPS_POLICY_BY_CONNECTION_H

#include "../lib/kernel.h"

/*
 * connection id -> struct copy_policy, a letter box: user space drops a policy in and lets policy_epoch grow, the
 * connection's next call takes it into its state and deletes the entry.
 * What belongs to a connection that never called again is pushed out by newer entries.
 */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64);
    __type(value, struct copy_policy);
} policy_by_conn SEC(".maps");

#endif
