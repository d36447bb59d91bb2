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

/* Bits of carrier_config.kinds: what runs inside this process' threads. Never reused. */
enum carrier_kind {
    k_carrier_greenlet = 1,
    k_carrier_asyncio = 2,
    k_carrier_go = 4,
    k_carrier_node = 8,
    k_carrier_uvloop = 16, /* of an asyncio process: writes are gathered by the loop (uvloop.h) */
};

/* Addresses and offsets of one process, found by user space; src/capture/carriers/ says how. */
struct greenlet_layout { /* 32 bytes; greenlet 2.0 and later */
    __u64 type;          /* address of PyGreenlet_Type */
    __u64 module;        /* TLS module of _greenlet.so: index into the thread's vector */
    __u32 state_offset;  /* of the ThreadState pointer in the module's TLS block */
    __u32 vector_offset; /* thread pointer + this: address of the thread's vector (dtv) … */
    __u32 vector_entry;  /* … and bytes of one of its entries */
    __u32 reserved;
};

struct asyncio_layout { /* 24 bytes; CPython 3.9 and later */
    __u64 context_type;    /* address of PyContext_Type */
    __u32 key;             /* pthread key of the PyThreadState */
    __u32 specific_offset; /* thread pointer + this: first level of pthread keys */
    __u32 thread_id;       /* offset of PyThreadState.thread_id … */
    __u32 context;         /* … and of PyThreadState.context, at most 120 bytes behind it */
};

struct python_layout {
    struct greenlet_layout greenlet;
    struct asyncio_layout asyncio;
};

/* Written by the kernel side only, apart from zeros at the start. Not exact under parallel calls. */
struct carrier_counts {
    __u64 lookups;
    __u64 faults;     /* a word of user memory could not be read: the call has no carrier */
    __u64 mismatches; /* what was found there is not what it should be: the call has no carrier */
    __u64 births;
};

struct carrier_config { /* 168 bytes */
    __u32 kinds;
    __u32 generation; /* another one for every program that a process becomes: what threads remember of it is void */
    struct carrier_counts counts;
    union {
        struct python_layout python;
        __u64 words[16]; /* room for layouts to come */
    } layout;
};

enum copy_limit {
    k_head_limit = 4096,
    k_tail_limit = 4096,
    k_undecided_head = 256,  /* before user space decided; identifiers of messages stand at the end */
    k_undecided_tail = 1024,
    k_opening_calls = 4,    /* of each way, which copy up to k_head_limit while undecided */
};

#endif
