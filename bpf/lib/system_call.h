/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Socket calls found among system calls, at their end: number and arguments are still in the registers, so nothing
 * need be remembered from the beginning. x86-64.
 *
 * What is not seen this way: what io_uring moves (counted, where a traced process uses it), and 32-bit processes
 * (counted). A descriptor that another thread closes and opens anew while a call waits on it is taken for the new one.
 */
#ifndef GHOSTSPAN_SYSTEM_CALL_H
#define GHOSTSPAN_SYSTEM_CALL_H

#include "call.h"

enum {
    k_message_limit = 16, /* messages of one sendmmsg or recvmmsg that are told */
    k_message_length = 56, /* struct mmsghdr: msg_len */
    /* arch/x86/entry/syscalls/syscall_32.tbl: socketcall, then sendmmsg … recvmsg */
    k_nr32_socketcall = 102,
    k_nr32_first = 369,
    k_nr32_last = 372,
};

#define LOW_CALL(nr) (1ULL << (nr))
#define LOW_CALLS                                                                                               \
    (LOW_CALL(k_nr_read) | LOW_CALL(k_nr_write) | LOW_CALL(k_nr_readv) | LOW_CALL(k_nr_writev) |                \
     LOW_CALL(k_nr_sendfile) | LOW_CALL(k_nr_sendto) | LOW_CALL(k_nr_recvfrom) | LOW_CALL(k_nr_sendmsg) |       \
     LOW_CALL(k_nr_recvmsg))

static __always_inline bool moves_bytes(const __u64 nr)
{
    if (nr < 64)
        return LOW_CALLS >> nr & 1;
    return nr == k_nr_splice || nr == k_nr_recvmmsg || nr == k_nr_sendmmsg || nr == k_nr_preadv2 ||
           nr == k_nr_pwritev2 || nr == k_nr_io_uring_enter;
}

static __always_inline bool is_sending(const __u64 nr)
{
    return nr == k_nr_write || nr == k_nr_writev || nr == k_nr_sendto || nr == k_nr_sendmsg || nr == k_nr_pwritev2 ||
           nr == k_nr_sendmmsg || nr == k_nr_sendfile;
}

/* The socket that a descriptor of this process stands for: its file's private data is a struct socket that knows it. */
static __always_inline struct sock *socket_of(const struct task_struct *task, const __u32 descriptor)
{
    const struct fdtable *table = task->files->fdt;
    const struct file *file = NULL;
    if (descriptor >= table->max_fds || bpf_probe_read_kernel(&file, sizeof(file), table->fd + descriptor) || !file)
        return NULL;
    const struct socket *socket = field(file, private_data);
    if (!socket || field(socket, file) != file)
        return NULL;
    return field(socket, sk);
}

/* Not static, and numbers only: the verifier looks at each once, not again for every message of a call. */
__noinline int on_sent(const __u64 address, const int result, const __u32 behind)
{
    return on_call((struct sock *)address, result, 0, k_sending, behind);
}

__noinline int on_received(const __u64 address, const int result, const int flags, const __u32 behind)
{
    return on_call((struct sock *)address, result, flags, k_receiving, behind);
}

static __always_inline int on_socket_call(
    const __u64 address, const int result, const int flags, const enum direction direction, const __u32 behind)
{
    return direction == k_sending ? on_sent(address, result, behind) : on_received(address, result, flags, behind);
}

static __always_inline int flags_of(const struct pt_regs *registers, const __u64 nr)
{
    if (nr == k_nr_recvfrom || nr == k_nr_recvmmsg)
        return registers->r10;
    return nr == k_nr_recvmsg ? registers->dx : 0;
}

/* read() and readv() of nothing return 0 as well: that is no end of file. */
static __always_inline bool asked_for_nothing(const struct pt_regs *registers, const __u64 nr)
{
    __u64 wanted = registers->dx;
    if (nr == k_nr_readv && wanted == 1) /* buffers */
        bpf_probe_read_user(&wanted, sizeof(wanted), (void *)(registers->si + sizeof(__u64)));
    return wanted == 0 && (nr == k_nr_read || nr == k_nr_readv || nr == k_nr_recvfrom);
}

static __always_inline __u32 message_length(const __u64 vector, const __u32 index)
{
    __u32 length = 0;
    bpf_probe_read_user(&length, sizeof(length), (void *)(vector + (__u64)index * k_message_bytes + k_message_length));
    return length;
}

/* sendmmsg, recvmmsg: one after the other, as they were moved. The first ones of a longer vector are told. */
static __noinline int on_messages(
    const __u64 address, const __u64 vector, const __u32 count, const int flags, const enum direction direction)
{
    __u32 behind = 0;
    for (__u32 i = 0; i < k_message_limit && i < count; i++)
        behind += message_length(vector, i);
    for (__u32 i = 0; i < k_message_limit && i < count; i++) {
        const __u32 length = message_length(vector, i);
        behind -= length;
        if (length > 0)
            on_socket_call(address, length, flags, direction, behind);
    }
    if (count > k_message_limit)
        count_lost(k_lost_call_unsupported);
    struct socket_state *state = state_of((struct sock *)address);
    if (state)
        state->many_vector = 0;
    return 0;
}

static __always_inline int on_splice(const struct task_struct *task, const struct pt_regs *registers, const long result)
{
    struct sock *from = socket_of(task, registers->di), *to = socket_of(task, registers->dx);
    if (from)
        on_socket_call((__u64)from, result, 0, k_receiving, 0);
    if (to)
        on_socket_call((__u64)to, result, 0, k_sending, 0);
    return 0;
}

static __always_inline int on_system_call(const struct pt_regs *registers, const long result)
{
    const __u64 nr = registers->orig_ax;
    const struct task_struct *task = bpf_get_current_task_btf();
    const bool compat = task->thread_info.status & k_ts_compat;
    if (likely(!compat) && !moves_bytes(nr))
        return 0;
    if (is_ordinary_failure(result))
        return 0;
    const __u32 decision = decision_of(task->tgid);
    if (decision == k_process_ignored)
        return 0;
    if (unlikely(compat)) {
        if (decision == k_process_traced && (nr == k_nr32_socketcall || (nr >= k_nr32_first && nr <= k_nr32_last)))
            count_lost(k_lost_call_unsupported);
        return 0;
    }
    if (nr == k_nr_io_uring_enter) {
        if (decision == k_process_traced)
            count_lost(k_lost_call_unsupported);
        return 0;
    }
    if (nr == k_nr_splice)
        return on_splice(task, registers, result);
    if (result == 0 && asked_for_nothing(registers, nr))
        return 0;
    struct sock *sk = socket_of(task, registers->di);
    if (!sk)
        return 0;
    const enum direction direction = is_sending(nr) ? k_sending : k_receiving;
    if ((nr == k_nr_sendmmsg || nr == k_nr_recvmmsg) && result > 0)
        return on_messages((__u64)sk, registers->si, result, flags_of(registers, nr), direction);
    return on_socket_call((__u64)sk, result, flags_of(registers, nr), direction, 0);
}

#endif
