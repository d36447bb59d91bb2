/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_POLICY_BY_PORT_H
#define GHOSTSPAN_MAPS_POLICY_BY_PORT_H

#include "../lib/kernel.h"

/*
 * listening TCP port (host byte order) -> struct copy_policy that its connections have from their first byte on.
 * Written by user space, read once when a connection is first seen.
 */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u32);
    __type(value, struct copy_policy);
} policy_by_port SEC(".maps");

#endif
