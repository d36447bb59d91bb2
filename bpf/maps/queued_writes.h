/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_QUEUED_WRITES_H
#define GHOSTSPAN_MAPS_QUEUED_WRITES_H

#include "../lib/kernel.h"

struct queued_write {
    __u64 carrier;
    __u32 flags; /* k_flag_carrier, as struct carrier */
    __u32 reserved;
};

/*
 * thread group << 32 | file descriptor -> who asked for what the event loop will write there (uvloop.h).
 * Inserted: when a transport joins the loop's queue of writers. Deleted: at the write. Pushed out by newer ones.
 */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64);
    __type(value, struct queued_write);
} queued_writes SEC(".maps");

#endif
