/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_OWN_CONNECTIONS_H
#define GHOSTSPAN_MAPS_OWN_CONNECTIONS_H

#include "../lib/kernel.h"

struct connection_key {
    __u32 near_isn;
    __u32 far_isn;
};

/*
 * The connections of our own processes by their initial sequence numbers, so that their far ends on this host are left
 * alone too, whatever translates addresses in between.
 * Inserted: at ESTABLISHED of a socket that ours opened, before the far end can have been accepted; at the first call
 * of one that is older than the capture. Read when a connection is first seen. Pushed out by newer ones.
 */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct connection_key);
    __type(value, __u8);
} own_conns SEC(".maps");

#endif
