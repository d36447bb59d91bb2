/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where the bytes of the system call going on lie in the process' memory. x86-64. */
#ifndef GHOSTSPAN_USER_BUFFER_H
#define GHOSTSPAN_USER_BUFFER_H

#include "../maps/socket_states.h"
#include "call_registers.h"
#include "kernel.h"

enum {
    k_nr_read = 0,
    k_nr_write = 1,
    k_nr_readv = 19,
    k_nr_writev = 20,
    k_nr_sendto = 44,
    k_nr_recvfrom = 45,
    k_nr_sendmsg = 46,
    k_nr_recvmsg = 47,
    k_nr_recvmmsg = 299,
    k_nr_sendmmsg = 307,
    k_nr_preadv2 = 327,
    k_nr_pwritev2 = 328,
    k_nr_sendfile = 40,
    k_nr_splice = 275,
    k_nr_io_uring_enter = 426,
    k_segment_limit = 16,
    k_message_bytes = 64, /* struct mmsghdr */
};

struct segment { /* struct iovec */
    __u64 base;
    __u64 length;
};

struct user_buffer {
    __u64 base;     /* one buffer, or 0: */
    __u64 segments; /* struct iovec[count] */
    __u64 count;
};

/* struct user_msghdr holds the vector and its length at 16 and 24. */
static __always_inline bool read_message(const __u64 header, struct user_buffer *into)
{
    return bpf_probe_read_user(&into->segments, 16, (void *)(header + 16)) == 0;
}

/*
 * sendmmsg and recvmmsg fire once a message: counted per vector. A short or failed message ends the call
 * (forget_vector), the last one of the vector does too.
 */
static __always_inline bool find_in_vector(
    struct socket_state *state, const __u32 tid, const __u64 vector, const __u32 length, struct user_buffer *into)
{
    if (state->many_vector != vector || state->many_tid != tid) {
        state->many_vector = vector;
        state->many_tid = tid;
        state->many_index = 0;
    }
    const __u32 index = state->many_index;
    state->many_index = index + 1;
    if (index + 1 >= length)
        state->many_vector = 0;
    return read_message(vector + (__u64)index * k_message_bytes, into);
}

/* False where there is no such buffer: sendfile, splice, io_uring, 32-bit processes. */
static __always_inline bool find_user_buffer(
    struct task_struct *task, struct socket_state *state, const enum direction direction, struct user_buffer *into)
{
    struct call_registers registers, *regs = &registers;
    read_registers(task, regs);
    const bool sending = direction == k_sending;
    if (!tell_of_this_call(task, regs))
        return false;
    const __u64 nr = regs->orig_ax;
    if (nr == (sending ? k_nr_write : k_nr_read) || nr == (sending ? k_nr_sendto : k_nr_recvfrom)) {
        into->base = regs->si;
        return true;
    }
    if (nr == (sending ? k_nr_writev : k_nr_readv) || nr == (sending ? k_nr_pwritev2 : k_nr_preadv2)) {
        into->segments = regs->si;
        into->count = regs->dx;
        return true;
    }
    if (nr == (sending ? k_nr_sendmsg : k_nr_recvmsg))
        return read_message(regs->si, into);
    if (nr == (sending ? k_nr_sendmmsg : k_nr_recvmmsg))
        return find_in_vector(state, task->pid, regs->si, (__u32)regs->dx, into);
    return false;
}

#endif
