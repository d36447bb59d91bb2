/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a struct sock tells: kind, addresses, sequence numbers, role. */
#ifndef GHOSTSPAN_SOCKET_H
#define GHOSTSPAN_SOCKET_H

#include "../maps/socket_states.h"
#include "copy_plan.h"
#include "kernel.h"
#include "lost.h"

/* k_transport_*, or 0 for a stream socket that is neither TCP nor Unix. */
static __always_inline __u8 transport_of(const struct sock *sk)
{
    const __u16 family = field(sk, __sk_common.skc_family);
    if (family == k_af_unix)
        return k_transport_unix;
    if ((family == k_af_inet || family == k_af_inet6) && field(sk, sk_protocol) == k_ipproto_tcp)
        return k_transport_tcp;
    return 0;
}

static __always_inline bool is_mapped_v4(const struct sock *sk)
{
    __u32 peer[4] = {};
    copy_address(peer, sk, __sk_common.skc_v6_daddr);
    return peer[0] == 0 && peer[1] == 0 && peer[2] == bpf_htonl(0xffff);
}

/* Both addresses, IPv4 in the first four bytes (also for IPv4 on an IPv6 socket); returns the family on the wire. */
static __always_inline __u16 read_addresses(const struct sock *sk, __u32 local[4], __u32 remote[4])
{
    if (field(sk, __sk_common.skc_family) == k_af_inet6 && !is_mapped_v4(sk)) {
        copy_address(local, sk, __sk_common.skc_v6_rcv_saddr);
        copy_address(remote, sk, __sk_common.skc_v6_daddr);
        return k_af_inet6;
    }
    local[0] = field(sk, __sk_common.skc_rcv_saddr);
    remote[0] = field(sk, __sk_common.skc_daddr);
    local[1] = local[2] = local[3] = 0;
    remote[1] = remote[2] = remote[3] = 0;
    return k_af_inet;
}

static __always_inline bool both_ends_here(const struct sock *sk)
{
    __u32 local[4], remote[4];
    const __u16 family = read_addresses(sk, local, remote);
    if (family == k_af_inet)
        return local[0] == remote[0] || (bpf_ntohl(remote[0]) >> 24) == 127;
    return local[0] == remote[0] && local[1] == remote[1] && local[2] == remote[2] && local[3] == remote[3];
}

static __always_inline __u32 namespace_of(const struct sock *sk)
{
    const struct net *net = field(sk, __sk_common.skc_net.net);
    return field(net, ns.inum);
}

/* 1 when copied_seq counts the peer's FIN: it is consumed together with the last bytes. */
static __always_inline __u32 consumed_fin(const struct sock *sk, const struct tcp_sock *tcp)
{
    return (field(sk, sk_shutdown) & k_receive_shutdown) && field(tcp, copied_seq) == field(tcp, rcv_nxt);
}

static __always_inline __u32 sent_fin(const struct sock *sk, const struct tcp_sock *tcp)
{
    const __u8 state = field(sk, __sk_common.skc_state);
    const __u32 finished = 1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSING | 1 << TCP_LAST_ACK;
    return (finished >> (state & 15) & 1) && field(tcp, snd_nxt) == field(tcp, write_seq);
}

/* Not 0 while somebody works on the socket: its owner, or whoever handles a packet for it. */
static __always_inline __u32 is_locked(const struct sock *sk)
{
    __u32 locked = field(sk, sk_lock.owned);
    if (bpf_core_field_exists(sk->sk_lock.slock.rlock.raw_lock.val.counter))
        locked |= field(sk, sk_lock.slock.rlock.raw_lock.val.counter);
    return locked;
}

struct tcp_beginning {
    __u32 una, acked, received_next, received, sent_next, sent_once, fin;
};

static __always_inline void read_beginning(const struct sock *sk, struct tcp_beginning *into)
{
    const struct tcp_sock *tcp = as_kernel(tcp_sock, sk);
    into->una = field(tcp, snd_una);
    into->acked = (__u32)field(tcp, bytes_acked);
    into->received_next = field(tcp, rcv_nxt);
    into->received = (__u32)field(tcp, bytes_received);
    into->sent_next = field(tcp, snd_nxt);
    into->sent_once = (__u32)(field(tcp, bytes_sent) - field(tcp, bytes_retrans));
    into->fin = sent_fin(sk, tcp);
}

/*
 * The sequence numbers of both directions' first bytes (initial sequence number + 1, so that both ends get the same)
 * and, unless connect() was seen, the role. Where the socket is not `held` by who calls, an acknowledgement on another
 * CPU may come between two reads: repeated until two rounds in a row agree on an unlocked socket.
 */
static __always_inline int find_key(struct sock *sk, struct socket_state *state, const bool held)
{
    struct tcp_beginning first = {}, second = {};
    bool steady = false;
    for (int i = 0; i < 16 && !steady; i++) {
        const __u32 locked_before = is_locked(sk);
        barrier();
        read_beginning(sk, &first);
        barrier();
        read_beginning(sk, &second);
        barrier();
        /* Differences in one word: one branch for the verifier to follow, not eight. */
        const __u32 moved = locked_before | is_locked(sk) | (first.una ^ second.una) | (first.acked ^ second.acked) |
                            (first.received_next ^ second.received_next) | (first.received ^ second.received) |
                            (first.sent_next ^ second.sent_next) | (first.sent_once ^ second.sent_once);
        steady = held || moved == 0;
    }
    if (!steady)
        count_lost(k_lost_key_unstable);
    if (state->role == k_role_unknown) {
        /* A child of a listening socket inherits its backlog; listen(fd, 0) leaves none, so counters decide then. */
        const bool opened =
            field(sk, sk_max_ack_backlog) == 0 &&
            counts_syn(second.acked, second.sent_next - second.una, second.sent_once, second.fin);
        state->role = opened ? k_role_opened : k_role_accepted;
    }
    state->local_isn = second.una - second.acked + (state->role == k_role_opened);
    state->remote_isn = second.received_next - second.received;
    set_flags(state, k_socket_keyed);
    return 0;
}

#ifdef GHOSTSPAN_SYSTEM_CALLS
/* Not static: the verifier looks at it once. Where the socket is a pointer that it knows, that cannot be had. */
__noinline int read_key_at(const __u64 address, struct socket_state *state, const int held)
{
    return state ? find_key((struct sock *)address, state, held) : 0;
}

static __always_inline int read_key(struct sock *sk, struct socket_state *state, const bool held)
{
    /* A plain number, whatever the verifier knows of the pointer. */
    __u64 address = 0;
    bpf_probe_read_kernel(&address, sizeof(address), &sk);
    return read_key_at(address, state, held);
}
#else
static __noinline int read_key(struct sock *sk, struct socket_state *state, const bool held)
{
    return find_key(sk, state, held);
}
#endif

static __always_inline __u32 inode_of(const struct sock *sk)
{
    const struct socket *socket = field(sk, sk_socket);
    if (!socket)
        return 0;
    const struct socket_alloc *both = as_kernel(socket_alloc, socket);
    return (__u32)field(both, vfs_inode.i_ino);
}

/* 0 while nobody has accepted it, and once it is gone. */
static __always_inline __u32 peer_inode_of(const struct sock *sk)
{
    const struct unix_sock *own = as_kernel(unix_sock, sk);
    const struct sock *peer = field(own, peer);
    return peer ? inode_of(peer) : 0;
}

/* An accepted socket shares its listener's name, an opener hardly ever has one; a socketpair has none at all. */
static __always_inline __u8 unix_role_of(const struct sock *sk)
{
    const struct unix_sock *own = as_kernel(unix_sock, sk);
    if (field(own, addr))
        return k_role_accepted;
    const struct sock *peer = field(own, peer);
    if (!peer)
        return k_role_unknown;
    const struct unix_sock *far = as_kernel(unix_sock, peer);
    return field(far, addr) ? k_role_opened : k_role_unknown;
}

#endif
