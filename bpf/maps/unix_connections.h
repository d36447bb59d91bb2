/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_UNIX_CONNECTIONS_H
#define GHOSTSPAN_MAPS_UNIX_CONNECTIONS_H

#include "../lib/kernel.h"

/*
 * inode of a Unix socket -> id of its connection. Nothing fires when a Unix socket is closed, but its peer then reads
 * end of file: that call reports the end of both.
 * Inserted: when the connection is announced. Deleted: when its end is reported. Pushed out by newer ones.
 */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u32);
    __type(value, __u64);
} unix_conns SEC(".maps");

#endif
