// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The capture: entry points only, the logic is in ../lib. Linux 6.3 and later (net/socket.c, sock_send_length). */
#include "../lib/call.h"
#include "shared_entry_points.h"

SEC("tp_btf/sock_send_length")
int BPF_PROG(socket_sent, struct sock *sk, int result, int flags)
{
    return on_call(sk, result, flags, k_sending, 0);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(socket_received, struct sock *sk, int result, int flags)
{
    return on_call(sk, result, flags, k_receiving, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
