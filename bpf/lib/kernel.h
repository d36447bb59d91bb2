/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The kernel's types, libbpf's helpers, and the few constants that BTF does not carry. */
#ifndef GHOSTSPAN_KERNEL_H
#define GHOSTSPAN_KERNEL_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "../types/control.h"
#include "../types/event.h"

enum {
    k_af_unix = 1,
    k_af_inet = 2,
    k_af_inet6 = 10,
    k_sock_stream = 1,
    k_sock_datagram = 2,
    k_ipproto_tcp = 6,
    k_ipproto_udp = 17,
    k_msg_peek = 2,
    k_receive_shutdown = 1,
    k_both_shutdown = 3,
    k_eintr = 4,
    k_eagain = 11,
    k_enosys = 38,
    k_einprogress = 115,
    k_first_restart_errno = 512, /* ERESTARTSYS and its like never reach the caller */
    k_pf_io_worker = 0x10,
    k_ts_compat = 2,
};

/*
 * field(pointer, path): a member of one of the kernel's structs; copy_address(into, pointer, path): one of 16 bytes;
 * as_kernel(type, pointer): the same object as another struct.
 *
 * At a socket tracepoint the socket is a pointer that the verifier knows, and a member costs one load. After a system
 * call it is a number found in the process' table of files, and a member costs a helper call; nothing else is possible
 * before Linux 6.2, which brought bpf_rdonly_cast() (kernel/bpf/helpers.c).
 */
#ifdef GHOSTSPAN_SYSTEM_CALLS
#define field(pointer, path) BPF_CORE_READ(pointer, path)
#define copy_address(into, pointer, path) ((void)bpf_core_read(into, 16, &(pointer)->path))
#define as_kernel(type, pointer) ((const struct type *)(pointer))
#else
#define field(pointer, path) ((pointer)->path)
#define copy_address(into, pointer, path)                                       \
    do {                                                                 \
        for (int word = 0; word < 4; word++)                             \
            (into)[word] = (pointer)->path.in6_u.u6_addr32[word];        \
    } while (0)
extern void *bpf_rdonly_cast(void *object, __u32 btf_id) __ksym;
#define as_kernel(type, pointer) \
    ((struct type *)bpf_rdonly_cast((void *)(pointer), bpf_core_type_id_kernel(struct type)))
#endif

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#endif
