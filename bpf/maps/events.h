/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_EVENTS_H
#define GHOSTSPAN_MAPS_EVENTS_H

#include "../lib/kernel.h"

/*
 * All records of types/event.h on their way to user space, which polls: nothing here wakes it.
 * Resized by user space before the load.
 * Written by every program; a record that finds no room is counted in lost_by_cause.
 */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 24);
} events SEC(".maps");

#endif
