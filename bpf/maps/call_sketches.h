/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_CALL_SKETCHES_H
#define GHOSTSPAN_MAPS_CALL_SKETCHES_H

#include "../lib/kernel.h"
#include "../types/sketch.h"

enum { k_call_sketches = 1024 };

/*
 * The sketches by slot, each CPU its own: nothing is locked. Slot 0 takes what has found no slot of its own.
 * An array, for a look-up costs no more than the address.
 */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, k_call_sketches);
    __type(key, __u32);
    __type(value, struct call_sketch);
} call_sketches SEC(".maps");

/*
 * Who has which slot. Inserted: when a process takes a connection up. Deleted: by user space, some time after the
 * process has ended.
 */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, k_call_sketches);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct call_sketch_key);
    __type(value, __u32);
} sketch_slots SEC(".maps");

/* Slots that nobody has. Filled by user space, also with those of processes that have ended. */
struct {
    __uint(type, BPF_MAP_TYPE_QUEUE);
    __uint(max_entries, k_call_sketches);
    __uint(key_size, 0);
    __type(value, __u32);
} free_sketches SEC(".maps");

#endif
