/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_OWN_ENDPOINTS_H
#define GHOSTSPAN_MAPS_OWN_ENDPOINTS_H

#include "../lib/kernel.h"

struct endpoint_pair { /* 40 bytes */
    __u8 local_address[16];
    __u8 remote_address[16];
    __u16 local_port;
    __u16 remote_port;
    __u32 namespace; /* inode of the network namespace */
};

/*
 * The connections that our own processes opened, so that their far ends on this host are left alone too.
 * Inserted: at ESTABLISHED of such a socket, before the far end can have been accepted; at the first call of one that
 * is older than the capture. Read when a connection is first seen. Pushed out by newer ones.
 */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct endpoint_pair);
    __type(value, __u8);
} own_endpoints SEC(".maps");

#endif
