// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The capture: entry points only, the logic is in ../lib. Linux 6.3 and later (net/socket.c, sock_send_length). */
#include "../lib/call.h"
#include "../lib/life.h"

SEC("tp_btf/sock_send_length")
int BPF_PROG(socket_sent, struct sock *sk, int result, int flags)
{
    return on_call(sk, result, flags, k_sending);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(socket_received, struct sock *sk, int result, int flags)
{
    return on_call(sk, result, flags, k_receiving);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(socket_state_set, const struct sock *sk, int before, int after)
{
    return on_state((struct sock *)sk, before, after);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(socket_destroyed, struct sock *sk)
{
    return on_destroy(sk);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_forked, struct task_struct *parent, struct task_struct *child)
{
    return on_fork(parent, child);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_replaced, struct task_struct *task)
{
    return on_exec(task);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_ended, struct task_struct *task)
{
    return on_exit(task);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
