/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What user space writes into the maps, the causes of loss that it reads from
 * them, and nothing else. src/capture/control-layout.ts holds the same numbers
 * (test/capture/event-layout.test.ts compares both sides through BTF).
 */
#ifndef GHOSTSPAN_CONTROL_H
#define GHOSTSPAN_CONTROL_H

enum process_decision {
    k_process_traced = 1,
    k_process_ignored = 2,
    k_process_own = 3,      /* ours; children start undecided */
    k_process_own_tree = 4, /* ours, and all that it starts */
};

/* Bytes of each call to copy, by the protocol's roles; CopyPolicy in user space. */
struct copy_policy { /* 16 bytes */
    __u16 client_head;
    __u16 server_head;
    __u16 client_tail;
    __u16 server_tail;
    __u8 count_only;
    __u8 only_local_peers; /* of a port: count_only is meant for the accepted end, where both ends are on this host */
    __u8 reserved[6];
};

/* Indices of lost_by_cause; names in control-layout.ts. Never reused. */
enum lost_cause {
    k_lost_ring_full = 0,        /* an event found no room */
    k_lost_storage_failed = 1,   /* no memory for a connection's state: the call went unseen */
    k_lost_map_full = 2,         /* a map refused an entry */
    k_lost_copy_fault = 3,       /* the user's memory could not be read: event without payload */
    k_lost_call_unsupported = 4, /* sendfile, splice, io_uring, 32-bit: event without payload */
    k_lost_scattered = 5,        /* more segments than are followed: payload shorter than asked */
    k_lost_key_unstable = 6,     /* initial sequence numbers changed while being read */
    k_lost_protocol = 7,         /* a stream socket that is not TCP: the call went unseen */
    k_lost_sketch_full = 8,      /* no slot left: counted with all others that have none */
    k_lost_datagram = 9,         /* a datagram that is none of DNS': the call went unseen */
    k_lost_causes = 10,
};

enum copy_limit {
    k_head_limit = 4096,
    k_tail_limit = 4096,
    k_undecided_head = 256, /* before user space decided */
    k_opening_calls = 4,    /* of each way, which copy up to k_head_limit while undecided */
};

#endif
