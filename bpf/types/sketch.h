/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel counts of all calls, copied or not, and nothing else: read by src/capture/call-sketch-layout.ts
 * (test/capture/event-layout.test.ts compares both sides through BTF).
 */
#ifndef GHOSTSPAN_SKETCH_H
#define GHOSTSPAN_SKETCH_H

/*
 * Latencies lie in buckets of which each power of two has 16, from 512 ns to 2^36 ns (69 s): the middle of a bucket is
 * at most 1/33 of any value in it away, 3.1 %. Bucket 0 holds what is shorter, the last one what is longer.
 */
enum latency_buckets {
    k_latency_first_bits = 9,
    k_latency_last_bits = 36,
    k_latency_steps_bits = 4, /* 16 buckets a power of two */
    k_latency_count = (k_latency_last_bits - k_latency_first_bits) * 16 + 2,
};

struct call_sketch_key { /* 28 bytes */
    __u32 pid;  /* thread group */
    __u16 port; /* the server's, host byte order; 0 for Unix, and where nobody knows who accepted */
    __u8 role;  /* enum connection_role, of this end */
    __u8 transport;
    __u8 address[16]; /* the peer's, IPv4 in the first four bytes; zeros for Unix */
    __u16 family;     /* AF_INET, AF_INET6, AF_UNIX */
    __u16 reserved;
};

/* Of one CPU; grows only. */
struct call_sketch {
    __u64 sent_calls;
    __u64 sent_bytes;
    __u64 received_calls;
    __u64 received_bytes;
    __u64 failed_calls;   /* calls that returned an error other than "try again" */
    __u64 uncopied_calls; /* … of all that moved bytes, those that sent no event */
    __u64 connections;    /* taken up by this process */
    __u64 answers;        /* first bytes of an answer after last bytes of a request: the latencies below */
    __u64 latency_sum_ns;
    __u32 latency[k_latency_count];
};

#endif
