/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef GHOSTSPAN_MAPS_SOCKET_STATES_BY_ADDRESS_H
#define GHOSTSPAN_MAPS_SOCKET_STATES_BY_ADDRESS_H

/*
 * Socket storage asks for a pointer that the verifier knows; after a system call there is none. So what is remembered
 * of a socket is found by its address.
 *
 * TCP: deleted when the socket is destroyed (tcp_destroy_sock), so an address that is used again finds nothing.
 */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 262144);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u64);
    __type(value, struct socket_state);
} tcp_states SEC(".maps");

/*
 * Unix and UDP: nothing fires when such a socket goes, so its inode is compared as well. Pushed out by newer ones:
 * the connection is then announced once more.
 */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64);
    __type(value, struct socket_state);
} other_states SEC(".maps");

static const struct socket_state fresh_state = {};

static __always_inline __u32 identity_of(const struct sock *sk)
{
    const struct socket *socket = field(sk, sk_socket);
    const struct socket_alloc *both = as_kernel(socket_alloc, socket);
    return socket ? (__u32)field(both, vfs_inode.i_ino) : 0;
}

static __always_inline bool is_tcp(const struct sock *sk)
{
    return field(sk, sk_protocol) == k_ipproto_tcp;
}

static __always_inline struct socket_state *state_of(struct sock *sk)
{
    const __u64 address = (__u64)sk;
    if (is_tcp(sk))
        return bpf_map_lookup_elem(&tcp_states, &address);
    struct socket_state *state = bpf_map_lookup_elem(&other_states, &address);
    return state && state->identity == identity_of(sk) ? state : NULL;
}

static __always_inline struct socket_state *make_state(struct sock *sk)
{
    struct socket_state *state = state_of(sk);
    if (state)
        return state;
    const __u64 address = (__u64)sk;
    if (is_tcp(sk)) {
        /* BPF_NOEXIST: another CPU may be first. */
        bpf_map_update_elem(&tcp_states, &address, &fresh_state, BPF_NOEXIST);
        return bpf_map_lookup_elem(&tcp_states, &address);
    }
    bpf_map_update_elem(&other_states, &address, &fresh_state, BPF_ANY);
    state = bpf_map_lookup_elem(&other_states, &address);
    if (state)
        state->identity = identity_of(sk);
    return state;
}

static __always_inline void forget_state(struct sock *sk)
{
    const __u64 address = (__u64)sk;
    if (is_tcp(sk))
        bpf_map_delete_elem(&tcp_states, &address);
}

#endif
