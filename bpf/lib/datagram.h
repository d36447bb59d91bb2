/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One call that moved a datagram: UDP. A socket is announced once, whatever its peers; a call on a socket without a
 * peer tells the one that it names (send; a receive's address is written after the tracepoint). Only what looks like
 * DNS, or goes to or comes from its port, is told at all; everything else costs a look at twelve bytes, a bounded number
 * of times, then a flag.
 */
#ifndef GHOSTSPAN_DATAGRAM_H
#define GHOSTSPAN_DATAGRAM_H

#include "../maps/events.h"
#include "../maps/socket_states.h"
#include "connection.h"
#include "policy.h"
#include "record.h"
#include "selection.h"
#include "user_buffer.h"

enum {
    k_dns_port = 53,
    k_datagram_looks = 4,  /* datagrams of a socket that are looked at before it is left alone */
    k_dns_header = 12,
    k_datagram_least = 64, /* what is copied at least: both ends compute a datagram's place from it */
    k_datagram_most = 512,
};

#define k_datagram_quiet_ns 30000000000ULL

struct datagram {
    __u64 base;       /* its first bytes in the process' memory, 0: not to be had … */
    __u32 readable;   /* … and how many lie there in one piece */
    __u32 length;     /* of all of it */
    __u32 direction;
    __u32 address;    /* the peer that the call names: IPv4, as on the wire; 0 for IPv6 */
    __u16 port;       /* host byte order; 0: not known */
    __u16 family;
    struct carrier carrier;
};

/* struct sockaddr_in and the beginning of struct sockaddr_in6, as the process gave it. */
struct socket_name {
    __u16 family;
    __u16 port;
    __u32 word; /* IPv4: the address */
    __u32 words[5];
};

static __always_inline void take_name(struct datagram *peer, const __u64 name)
{
    struct socket_name given = {};
    if (!name || bpf_probe_read_user(&given, 8, (void *)name))
        return;
    if (given.family == k_af_inet) {
        peer->address = given.word;
    } else if (given.family == k_af_inet6) {
        if (bpf_probe_read_user(&given, sizeof(given), (void *)name))
            return;
        /* flow information, then four words of address: ::ffff:a.b.c.d is IPv4 */
        const bool mapped = !given.words[0] && !given.words[1] && given.words[2] == bpf_htonl(0xffff);
        if (mapped) {
            given.family = k_af_inet;
            peer->address = given.words[3];
        }
    } else {
        return;
    }
    peer->family = given.family;
    peer->port = bpf_ntohs(given.port);
}

/* The address that a send names: sendto's fifth argument, or msg_name. */
static __always_inline void find_named_peer(
    const struct task_struct *task, const struct socket_state *state, struct datagram *peer)
{
    struct call_registers registers, *regs = &registers;
    read_registers(task, regs);
    __u64 header = regs->si, name = 0;
    if (regs->orig_ax == k_nr_sendto) {
        take_name(peer, regs->r8);
        return;
    }
    if (regs->orig_ax == k_nr_sendmmsg)
        header += (__u64)(state->many_index ? state->many_index - 1 : 0) * k_message_bytes;
    else if (regs->orig_ax != k_nr_sendmsg)
        return;
    if (!bpf_probe_read_user(&name, sizeof(name), (void *)header))
        take_name(peer, name);
}

/* Header of RFC 1035: an operation that is known, reserved bit clear, one question (or an answer without any). */
static __always_inline bool looks_like_dns(const __u8 header[k_dns_header])
{
    const __u8 opcode = header[2] >> 3 & 15;
    const __u8 questions = header[5];
    if (opcode > 5 || opcode == 3 || (header[3] & 0x40) || header[4] || questions > 1)
        return false;
    if (!(header[2] & 0x80))
        return questions == 1 && !(header[3] & 15) && !header[6];
    return questions == 1 || (header[3] & 15);
}

static __noinline int tell_datagram(const struct socket_state *state, const struct datagram *datagram)
{
    struct data_event *event = bpf_ringbuf_reserve(&events, sizeof(*event) + k_datagram_most, 0);
    if (!event) {
        count_lost(k_lost_ring_full);
        return 0;
    }
    const struct task_struct *task = bpf_get_current_task_btf();
    __u32 head = state->ways[datagram->direction & 1].head;
    if (head < k_datagram_least)
        head = k_datagram_least;
    if (head > datagram->readable)
        head = datagram->readable;
    __u8 flags = 0;
    asm volatile("" : "+r"(head));
    if (head > k_datagram_most)
        head = k_datagram_most;
    if (bpf_probe_read_user(event + 1, head, (void *)datagram->base)) {
        count_lost(k_lost_copy_fault);
        flags = k_flag_uncopied;
        head = 0;
    }
    /* The record's place in the ring is as long as it may be; its size says what it holds. */
    fill_header(&event->header, sizeof(*event) + head, datagram->direction == k_sending ? k_op_send : k_op_receive,
                flags | datagram->carrier.flags, task->tgid, task->pid);
    event->header.carrier = datagram->carrier.id;
    event->header.carrier_parent = datagram->carrier.parent;
    event->connection = state->connection;
    event->position = datagram->address;
    event->length = datagram->length;
    event->head_length = head;
    event->tail_length = 0;
    event->peer_port = datagram->port;
    event->peer_family = datagram->family;
    bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
    return 0;
}

static __always_inline void find_bytes(
    struct task_struct *task, struct socket_state *state, const enum direction direction, struct datagram *datagram)
{
    struct user_buffer buffer = {};
    struct segment first = {};
    if (!find_user_buffer(task, state, direction, &buffer))
        return;
    datagram->readable = datagram->length;
    datagram->base = buffer.base;
    if (buffer.base || !buffer.count || bpf_probe_read_user(&first, sizeof(first), (void *)buffer.segments))
        return;
    datagram->base = first.base;
    if (first.length < datagram->readable)
        datagram->readable = first.length;
}

static __always_inline struct socket_state *take_up_datagrams(struct sock *sk, struct socket_state *state, const __u32 tgid)
{
    if (!state)
        state = make_state(sk);
    if (!state)
        return NULL;
    if (decision_of(tgid) == k_process_traced)
        set_flags(state, k_socket_traced);
    else
        clear_flags(state, k_socket_traced);
    note_carriers(state, tgid);
    if (!state->connection) {
        begin_connection(state, k_transport_udp);
        state->ways[k_sending].opening = k_datagram_looks;
    }
    state->selection = selection_epoch;
    barrier();
    state->tgid = tgid;
    return state;
}

static __noinline int on_datagram(struct sock *sk, const int result, const int call_flags, const int way)
{
    const enum direction direction = way & 1;
    const __u16 family = field(sk, __sk_common.skc_family);
    if (field(sk, sk_type) != k_sock_datagram || field(sk, sk_protocol) != k_ipproto_udp || result < k_dns_header ||
        (family != k_af_inet && family != k_af_inet6) || (direction == k_receiving && (call_flags & k_msg_peek)))
        return 0;
    struct task_struct *task = bpf_get_current_task_btf();
    struct socket_state *state = state_of(sk);
    const __u32 tgid = task->tgid;
    if (!state || state->tgid != tgid || state->selection != selection_epoch) {
        state = take_up_datagrams(sk, state, tgid);
        if (!state)
            return 0;
    }
    if (!(state->flags & k_socket_traced))
        return 0;
    if (state->policy != policy_epoch)
        collect_policy(state);
    if (state->flags & k_socket_count_only) {
        if ((state->flags & k_socket_carriers) && direction == k_receiving)
            on_unseen_read(tgid);
        count_lost(k_lost_datagram);
        return 0;
    }
    struct datagram datagram = {.length = result, .direction = direction};
    if (state->flags & k_socket_carriers)
        find_carrier(tgid, direction == k_sending ? k_look_sending : k_look_receiving, &datagram.carrier);
    find_bytes(task, state, direction, &datagram);
    /* Nothing fires when such a socket is closed: user space forgets it when it is quiet, and is told again. */
    const __u64 now = bpf_ktime_get_ns();
    if (now - state->ways[k_sending].position > k_datagram_quiet_ns) {
        __u8 header[k_dns_header] = {};
        const bool seen = datagram.base && datagram.readable >= k_dns_header &&
                          !bpf_probe_read_user(header, sizeof(header), (void *)datagram.base);
        if (!seen || !looks_like_dns(header)) {
            const bool is_dns = field(sk, __sk_common.skc_num) == k_dns_port ||
                                bpf_ntohs(field(sk, __sk_common.skc_dport)) == k_dns_port;
            if ((state->flags & k_socket_carriers) && direction == k_receiving)
                on_unseen_read(tgid);
            count_lost(k_lost_datagram);
            if (is_dns || state->ways[k_sending].opening == 0)
                return 0;
            if (--state->ways[k_sending].opening == 0)
                set_flags(state, k_socket_count_only);
            return 0;
        }
        if (tell_connection(sk, state, k_op_connection, task, &datagram.carrier))
            return 0;
        set_flags(state, k_socket_announced | k_socket_complete);
    }
    state->ways[k_sending].position = now;
    if (!datagram.base) {
        count_lost(k_lost_call_unsupported);
        return 0;
    }
    if (direction == k_sending && !field(sk, __sk_common.skc_dport))
        find_named_peer(task, state, &datagram);
    return tell_datagram(state, &datagram);
}

#endif
