/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Counters and latencies of every call of a traced process, whether it is copied or not. */
#ifndef GHOSTSPAN_CALL_SKETCH_H
#define GHOSTSPAN_CALL_SKETCH_H

#include "../maps/call_sketches.h"
#include "../maps/socket_states.h"
#include "config.h"
#include "lost.h"
#include "socket.h"

static __always_inline __u32 bits_below(__u64 value)
{
    __u32 bits = 0;
    if (value >> 32)
        value >>= 32, bits += 32;
    if (value >> 16)
        value >>= 16, bits += 16;
    if (value >> 8)
        value >>= 8, bits += 8;
    if (value >> 4)
        value >>= 4, bits += 4;
    if (value >> 2)
        value >>= 2, bits += 2;
    return bits + (value >> 1 ? 1 : 0);
}

static __always_inline __u32 latency_bucket(const __u64 nanoseconds)
{
    const __u32 bits = bits_below(nanoseconds);
    if (bits < k_latency_first_bits)
        return 0;
    if (bits >= k_latency_last_bits)
        return k_latency_count - 1;
    const __u32 step = (nanoseconds >> (bits - k_latency_steps_bits)) & ((1 << k_latency_steps_bits) - 1);
    return 1 + (bits - k_latency_first_bits) * (1 << k_latency_steps_bits) + step;
}

/* A slot of its own for what this process does with this peer; 0 where there is none left. */
static __noinline __u32 take_sketch(struct sock *sk, const struct socket_state *state, const __u32 tgid)
{
    struct call_sketch_key key = {.pid = tgid, .role = state->role, .transport = state->transport};
    if (state->transport == k_transport_unix) {
        key.family = k_af_unix;
    } else {
        __u32 local[4];
        key.family = read_addresses(sk, local, (__u32 *)key.address);
        if (state->role == k_role_accepted)
            key.port = field(sk, __sk_common.skc_num);
        else if (state->role == k_role_opened)
            key.port = bpf_ntohs(field(sk, __sk_common.skc_dport));
    }
    const __u32 *known = bpf_map_lookup_elem(&sketch_slots, &key);
    if (known)
        return *known;
    __u32 slot = 0;
    if (bpf_map_pop_elem(&free_sketches, &slot)) {
        count_lost(k_lost_sketch_full);
        return 0;
    }
    if (bpf_map_update_elem(&sketch_slots, &key, &slot, BPF_NOEXIST) == 0)
        return slot;
    bpf_map_push_elem(&free_sketches, &slot, 0);
    /* Another CPU was first. */
    known = bpf_map_lookup_elem(&sketch_slots, &key);
    return known ? *known : 0;
}

/* A process has taken this connection up. */
static __always_inline void begin_sketch(struct sock *sk, struct socket_state *state, const __u32 tgid)
{
    if (!sketches_on)
        return;
    const __u32 slot = take_sketch(sk, state, tgid);
    state->sketch = slot;
    state->asked_ns = 0;
    struct call_sketch *sketch = bpf_map_lookup_elem(&call_sketches, &slot);
    if (sketch)
        sketch->connections++;
}

static __always_inline void sketch_failure(const struct socket_state *state)
{
    if (!sketches_on)
        return;
    const __u32 slot = state->sketch;
    struct call_sketch *sketch = bpf_map_lookup_elem(&call_sketches, &slot);
    if (sketch)
        sketch->failed_calls++;
}

/*
 * The client's bytes ask, the server's answer; what asks last before the first byte of an answer starts its latency.
 * An end whose role is not known is counted only.
 */
static __always_inline void sketch_call(
    struct socket_state *state, const __u32 length, const enum direction direction, const bool uncopied)
{
    if (!sketches_on)
        return;
    const __u32 slot = state->sketch;
    struct call_sketch *sketch = bpf_map_lookup_elem(&call_sketches, &slot);
    if (!sketch)
        return;
    if (direction == k_sending) {
        sketch->sent_calls++;
        sketch->sent_bytes += length;
    } else {
        sketch->received_calls++;
        sketch->received_bytes += length;
    }
    if (uncopied)
        sketch->uncopied_calls++;
    const __u8 asking = direction == k_sending ? k_role_opened : k_role_accepted;
    if (state->role == asking) {
        state->asked_ns = bpf_ktime_get_ns();
        return;
    }
    const __u64 asked = state->asked_ns;
    if (!asked || state->role == k_role_unknown)
        return;
    state->asked_ns = 0;
    const __u64 latency = bpf_ktime_get_ns() - asked;
    __u32 bucket = latency_bucket(latency);
    asm volatile("" : "+r"(bucket));
    if (bucket < k_latency_count)
        sketch->latency[bucket]++;
    sketch->answers++;
    sketch->latency_sum_ns += latency;
}

#endif
