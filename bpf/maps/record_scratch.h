/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_RECORD_SCRATCH_H
#define GHOSTSPAN_MAPS_RECORD_SCRATCH_H

#include "../lib/kernel.h"
#include "socket_states.h"

/* How far a copy has come. Here and not on the stack: the verifier forgets what it knew of a map's values, which keeps
 * the number of states it has to follow small. */
struct copy_cursor {
    __u64 from; /* bytes to skip still */
    __u32 at;   /* next byte of the payload */
    __u32 missing;
};

/* Twice the longest head, so that any offset below one limit plus any length below it stays inside. */
struct record_scratch {
    struct data_event event;
    __u8 payload[2 * k_head_limit + k_tail_limit];
    struct copy_cursor cursor;
};

/*
 * Where a record is put together that is too long or too scattered to be copied straight into the ring. One per CPU
 * and direction: a program is never entered twice on one CPU, but may be preempted by the other one.
 */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, k_directions);
    __type(key, __u32);
    __type(value, struct record_scratch);
} record_scratch SEC(".maps");

#endif
