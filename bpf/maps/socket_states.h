/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_SOCKET_STATES_H
#define GHOSTSPAN_MAPS_SOCKET_STATES_H

#include "../lib/kernel.h"

enum direction {
    k_sending = 0,
    k_receiving = 1,
    k_directions = 2,
};

enum socket_flag {
    k_socket_traced = 1,     /* the process that used it last is traced */
    k_socket_announced = 2,  /* user space has its connection_event */
    k_socket_complete = 4,   /* … and that event told everything */
    k_socket_decided = 8,    /* a policy was set */
    k_socket_count_only = 16,
    k_socket_ended = 32,     /* end of file was told */
    k_socket_own = 64,       /* far or near end of a connection of our own: left alone whoever uses it */
    k_socket_midlife = 128,
    k_socket_connecting = 256, /* user space has its connect event */
    k_socket_keyed = 512,      /* both initial sequence numbers are known */
    k_socket_carriers = 1024,  /* the process that used it last has an entry in carrier_configs */
};

/* One way of a connection, as seen from this end. */
struct way {
    __u64 position; /* Unix: bytes moved since the socket was first seen */
    __u64 uncopied_calls;
    __u64 uncopied_bytes;
    __u16 head;
    __u16 tail;
    __u32 opening; /* calls left that copy up to k_head_limit */
};

struct socket_state {
    __u64 connection; /* 0: nothing but the mark of a process that is not traced */
    __u32 tgid;       /* who used it last … */
    __u32 selection;  /* … and selection_epoch when its decision was looked up */
    __u32 policy;     /* policy_epoch when policy_by_connection was looked up */
    __u32 flags;
    __u32 local_isn;
    __u32 remote_isn;
    __u8 role;
    __u8 transport;
    __u16 reserved;
    __u32 peer; /* Unix: inode of the peer once known */
    struct way ways[k_directions];
    __u64 many_vector; /* sendmmsg, recvmmsg: the vector of the call going on … */
    __u32 many_index;  /* … and the message it is at */
    __u32 many_tid;
    __u64 asked_ns; /* when the client's bytes moved last, with no answer since; 0: none */
    __u32 sketch;   /* slot of call_sketches */
    __u32 identity; /* where the state does not live and die with the socket: inode of the socket that it is of */
};

/* Sending and receiving may run at once on two CPUs; both change flags. */
static __always_inline void set_flags(struct socket_state *state, const __u32 flags)
{
    __sync_fetch_and_or(&state->flags, flags);
}

static __always_inline void clear_flags(struct socket_state *state, const __u32 flags)
{
    __sync_fetch_and_and(&state->flags, ~flags);
}

#ifdef GHOSTSPAN_SYSTEM_CALLS
#include "socket_states_by_address.h"
#else

/*
 * All that is remembered of a socket; lives and dies with it in the kernel.
 * Created: at connect(), or at the first call that moves bytes.
 */
struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct socket_state);
} socket_states SEC(".maps");

static __always_inline struct socket_state *state_of(struct sock *sk)
{
    return bpf_sk_storage_get(&socket_states, sk, 0, 0);
}

static __always_inline struct socket_state *make_state(struct sock *sk)
{
    return bpf_sk_storage_get(&socket_states, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

static __always_inline void forget_state(struct sock *sk)
{
    (void)sk; /* the kernel does */
}

#endif

#endif
