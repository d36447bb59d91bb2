/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One call that moved bytes on a stream socket: the hot path. */
#ifndef GHOSTSPAN_CALL_H
#define GHOSTSPAN_CALL_H

#include "../maps/events.h"
#include "../maps/record_scratch.h"
#include "../maps/socket_states.h"
#include "carriers/carrier.h"
#include "carriers/node.h"
#include "config.h"
#include "connection.h"
#include "copy_plan.h"
#include "datagram.h"
#include "payload.h"
#include "policy.h"
#include "record.h"
#include "socket.h"
#include "user_buffer.h"

struct call {
    __u32 pid;
    __u32 tid;
    __u32 position;
    __s32 length; /* as data_event.length */
    __u32 op;
    struct carrier carrier;
};

static __always_inline void fill_data(
    struct data_event *event, const struct call *call, const struct socket_state *state, const __u8 flags,
    const __u32 head, const __u32 tail)
{
    const __u8 all_flags = flags | call->carrier.flags;
    fill_header(&event->header, sizeof(*event) + head + tail, call->op, all_flags, call->pid, call->tid);
    event->header.carrier = call->carrier.id;
    event->header.carrier_parent = call->carrier.parent;
    event->connection = state->connection;
    event->position = call->position;
    event->length = call->length;
    event->head_length = head;
    event->tail_length = tail;
    event->peer_port = event->peer_family = 0;
}

/* Straight from the process' memory into the ring: room is 0, 64 or 256, known to the verifier. */
static __always_inline void tell_short(
    const struct call *call, const struct socket_state *state, __u8 flags, __u32 head, const __u64 base,
    const __u32 room)
{
    struct data_event *event = bpf_ringbuf_reserve(&events, sizeof(*event) + room, 0);
    if (!event) {
        count_lost(k_lost_ring_full);
        return;
    }
    if (room) {
        asm volatile("" : "+r"(head));
        if (head > room)
            head = room;
        if (bpf_probe_read_user(event + 1, head, (void *)base)) {
            count_lost(k_lost_copy_fault);
            flags |= k_flag_uncopied;
            head = 0;
        }
    }
    fill_data(event, call, state, flags, head, 0);
    bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/* Not static: the verifier looks at it once, by itself, and not again from every path that leads here. */
__noinline int tell_long(
    const struct call *call, const struct socket_state *state, const struct user_buffer *buffer,
    const struct copy_plan *plan)
{
    if (!call || !state || !buffer || !plan)
        return 0;
    const __u32 key = call->op == k_op_send ? k_sending : k_receiving;
    struct record_scratch *scratch = bpf_map_lookup_elem(&record_scratch, &key);
    if (!scratch)
        return 0;
    __u8 flags = 0;
    __u32 head = 0, tail = 0;
    int missing = gather(scratch, buffer, 0, plan->head, 0);
    if (missing < 0) {
        flags = k_flag_uncopied;
    } else {
        head = plan->head - missing;
        if (plan->tail && missing == 0) {
            missing = gather(scratch, buffer, (__u32)call->length - plan->tail, plan->tail, head);
            tail = missing == 0 ? plan->tail : 0;
        }
    }
    if (missing)
        count_lost(missing < 0 ? k_lost_copy_fault : k_lost_scattered);
    __u32 payload = head + tail;
    fill_data(&scratch->event, call, state, flags, head, tail);
    asm volatile("" : "+r"(payload));
    if (payload > k_head_limit + k_tail_limit)
        return 0;
    if (bpf_ringbuf_output(&events, scratch, sizeof(struct data_event) + payload, BPF_RB_NO_WAKEUP))
        count_lost(k_lost_ring_full);
    return 0;
}

static __always_inline __u32 carrier_look_of(const enum direction direction)
{
    return direction == k_sending ? k_look_sending : k_look_receiving;
}

static __always_inline bool is_ordinary_failure(const int result)
{
    return result == -k_eagain || result == -k_eintr || result == -k_einprogress || result <= -k_first_restart_errno;
}

/* End of file, told once, or a failure. The connection is known already, else there is nothing to tell of. */
static __noinline int on_no_bytes(
    struct sock *sk, struct socket_state *state, struct task_struct *task, const int result, const int direction)
{
    state->many_vector = 0;
    if (!(state->flags & k_socket_announced))
        return 0;
    if (result == 0 && (direction == k_sending || !(field(sk, sk_shutdown) & k_receive_shutdown) ||
                        (state->flags & k_socket_ended)))
        return 0;
    if (result < 0)
        sketch_failure(state);
    struct call call = {
        .pid = task->tgid,
        .tid = task->pid,
        .length = result,
        .op = direction == k_sending ? k_op_send : k_op_receive,
    };
    if (state->transport == k_transport_unix) {
        call.position = (__u32)state->ways[direction & 1].position;
    } else {
        const struct tcp_sock *tcp = as_kernel(tcp_sock, sk);
        call.position = direction == k_sending ? field(tcp, write_seq) - state->local_isn
                                               : field(tcp, copied_seq) - consumed_fin(sk, tcp) - state->remote_isn;
    }
    if (state->flags & k_socket_carriers)
        find_carrier(call.pid, carrier_look_of(direction), &call.carrier);
    if (!(state->flags & k_socket_count_only))
        tell_short(&call, state, result == 0 ? k_flag_eof : 0, 0, 0, 0);
    if (result == 0)
        set_flags(state, k_socket_ended);
    if (state->transport == k_transport_unix && field(sk, sk_shutdown) == k_both_shutdown)
        end_unix_pair(sk, state);
    return 0;
}

static __always_inline __u32 take_position(
    struct sock *sk, struct socket_state *state, const __u32 length, const __u32 behind, const enum direction direction)
{
    if (state->transport == k_transport_unix)
        return (__u32)__sync_fetch_and_add(&state->ways[direction].position, length);
    const struct tcp_sock *tcp = as_kernel(tcp_sock, sk);
    if (direction == k_sending)
        return position_before(field(tcp, write_seq), state->local_isn, length + behind, 0);
    return position_before(field(tcp, copied_seq), state->remote_isn, length + behind, consumed_fin(sk, tcp));
}

static __always_inline void count_call(struct way *way, const __u32 length)
{
    __sync_fetch_and_add(&way->uncopied_calls, 1);
    __sync_fetch_and_add(&way->uncopied_bytes, length);
}

static __always_inline void tell_data(
    struct task_struct *task, struct socket_state *state, const struct call *call, const enum direction direction)
{
    struct way *way = &state->ways[direction];
    struct user_buffer buffer = {};
    __u32 wanted = way->head;
    if (unlikely(way->opening)) {
        way->opening--;
        wanted = k_head_limit;
    }
    const struct copy_plan plan = plan_copy(call->length, wanted, way->tail);
    if (plan.head + plan.tail == 0) {
        tell_short(call, state, 0, 0, 0, 0);
        return;
    }
    if (!find_user_buffer(task, state, direction, &buffer)) {
        count_lost(k_lost_call_unsupported);
        tell_short(call, state, k_flag_uncopied, 0, 0, 0);
        return;
    }
    if (plan.head <= 256 && plan.tail == 0) {
        struct segment first = {.base = buffer.base, .length = plan.head};
        if (!buffer.base && buffer.count)
            bpf_probe_read_user(&first, sizeof(first), (void *)buffer.segments);
        if (first.length >= plan.head) {
            if (plan.head <= 64)
                tell_short(call, state, 0, plan.head, first.base, 64);
            else
                tell_short(call, state, 0, plan.head, first.base, 256);
            return;
        }
    }
    tell_long(call, state, &buffer, &plan);
}

/* `behind`: bytes that the same system call has moved after these, in further messages. */
static __always_inline int on_call(
    struct sock *sk, const int result, const int flags, const enum direction direction, const __u32 behind)
{
    if (unlikely(field(sk, sk_type) != k_sock_stream))
        return on_datagram(sk, result, flags, direction);
    if (is_ordinary_failure(result) || (direction == k_receiving && (flags & k_msg_peek)))
        return 0;
    struct task_struct *task = bpf_get_current_task_btf();
    struct socket_state *state = state_of(sk);
    const __u32 tgid = task->tgid;
    if (!state || state->tgid != tgid || state->selection != selection_epoch) {
        if (result <= 0 && !state)
            return 0;
        state = take_up(sk, state, tgid, result > 0 ? result : 0);
        if (!state)
            return 0;
    }
    if (!(state->flags & k_socket_traced))
        return 0;
    if (unlikely(result <= 0))
        return on_no_bytes(sk, state, task, result, direction);
    struct call call = {
        .pid = tgid,
        .tid = task->pid,
        .position = take_position(sk, state, result, behind, direction),
        .length = result,
        .op = direction == k_sending ? k_op_send : k_op_receive,
    };
    if ((state->flags & (k_socket_carriers | k_socket_count_only)) == k_socket_carriers)
        find_carrier(tgid, carrier_look_of(direction), &call.carrier);
    else if (unlikely(state->flags & k_socket_carriers) && direction == k_receiving)
        on_unseen_read(tgid);
    if (unlikely(!(state->flags & k_socket_complete)) && announce(sk, state, task, &call.carrier)) {
        /* User space does not know the connection: the call is lost as well, but it was made. */
        count_lost(k_lost_ring_full);
        sketch_call(state, result, direction, true);
        return 0;
    }
    if (unlikely(state->policy != policy_epoch))
        collect_policy(state);
    const bool counted = state->flags & k_socket_count_only;
    sketch_call(state, result, direction, counted);
    if (counted)
        count_call(&state->ways[direction], result);
    else
        tell_data(task, state, &call, direction);
    return 0;
}

#endif
