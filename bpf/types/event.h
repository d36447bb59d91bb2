/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The records that the kernel hands to user space, and nothing else: the one
 * layout shared by the BPF programs, recordings and src/capture/event-layout.ts
 * (test/capture/event-layout.test.ts compares both sides through BTF).
 *
 * Little endian, natural alignment, no packing. Op numbers are never reused.
 * A record is `size` bytes long, rounded up to a multiple of 8 in a batch.
 */
#ifndef GHOSTSPAN_EVENT_H
#define GHOSTSPAN_EVENT_H

enum event_op {
    k_op_send = 1,       /* struct data_event: the process sent bytes */
    k_op_receive = 2,    /* struct data_event: the process received bytes */
    k_op_connect = 3,    /* struct connection_event: connect() was called; peer may be unknown yet */
    k_op_connection = 4, /* struct connection_event: first seen moving bytes, both ends known */
    k_op_close = 5,      /* struct close_event */
    k_op_fork = 6,       /* struct process_event: pid = child, parent = parent */
    k_op_exec = 7,       /* struct process_event */
    k_op_exit = 8,       /* struct process_event */
    k_op_task_birth = 9,  /* struct task_event: a carrier was born (greenlet, task, goroutine) */
    k_op_listen = 10,     /* struct process_event, parent = port; for the live source alone, which answers with process_info */
    /* From 64 on: written by user space into the same stream, so that a recording is complete. */
    k_op_process_info = 64, /* header + JSON text, see src/capture/process-info.ts */
    k_op_lost = 65,         /* header + JSON text {cause, count} */
};

enum event_flag {
    k_flag_uncopied = 1,  /* the payload could not be copied (sendfile, io_uring, fault): length only */
    k_flag_eof = 2,       /* receive returned 0 */
    k_flag_midlife = 4,   /* connection_event: the connection is older than the capture */
    k_flag_thread = 8,    /* task_event: the new carrier is a thread, task its id */
    k_flag_role_guessed = 16, /* connection_event: of a packet capture without the connection's beginning */
    k_flag_carrier = 32,  /* data, connect, task_birth: carrier and carrier_parent were looked up, 0 is the thread itself */
};

enum connection_role {
    k_role_unknown = 0,
    k_role_opened = 1,   /* this end called connect() */
    k_role_accepted = 2, /* this end was accepted from a listening socket */
};

enum connection_transport {
    k_transport_tcp = 1,
    k_transport_unix = 2,
    k_transport_udp = 3, /* one socket, whatever its peers: each data event is a datagram */
};

struct event_header { /* 40 bytes */
    __u32 size; /* of the whole record, header included, padding not */
    __u8 op;
    __u8 flags;
    __u16 loss_epoch; /* grows when records were lost: between two records with the same one, none was */
    __u64 time_ns; /* CLOCK_MONOTONIC; of a send: when it had been done */
    __u32 pid;     /* thread group; 0 for what happened in no process' name */
    __u32 tid;
    __u64 carrier; /* id of the greenlet, task or goroutine; 0: the thread itself */
    __u64 carrier_parent; /* spawner where the carrier tells it; 0 otherwise */
};

struct data_event { /* 64 bytes, then head_length + tail_length bytes */
    struct event_header header;
    __u64 connection; /* id of this end of the connection, unique in this capture, below 2^53 */
    __u32 position;   /* of the first byte in its direction, counted from the connection's first byte, modulo 2^32;
                         UDP: IPv4 address of the peer that the call names, as on the wire */
    __s32 length;     /* bytes moved; 0: end of file; negative: -errno */
    __u16 head_length; /* bytes copied from the start */
    __u16 tail_length; /* bytes copied from the end, disjoint from the head */
    __u16 peer_port;   /* UDP: of the peer that the call names, host byte order; 0: not known here */
    __u16 peer_family;
};

struct connection_event { /* 112 bytes */
    struct event_header header;
    __u64 connection;
    __u32 local_isn;  /* the same two numbers as the other end sees (its local is our remote); 0 for Unix */
    __u32 remote_isn;
    __u8 role;
    __u8 transport;
    __u16 family; /* AF_INET, AF_INET6, AF_UNIX */
    __u16 local_port; /* host byte order; 0 for Unix */
    __u16 remote_port;
    __u8 local_address[16]; /* IPv4 in the first four bytes */
    __u8 remote_address[16];
    __u64 local_identity; /* Unix: inode of this socket; TCP: network namespace inode */
    __u64 remote_identity; /* Unix: inode of the peer, 0 while nobody has accepted it; TCP: 0 */
};

struct close_event { /* 80 bytes */
    struct event_header header;
    __u64 connection;
    __u64 uncopied_calls; /* calls on it that were counted and sent no event */
    __u64 uncopied_sent_bytes;
    __u64 uncopied_received_bytes;
    __u64 reserved;
};

struct process_event { /* 64 bytes */
    struct event_header header;
    __u32 parent; /* pid of the parent (fork), else 0 */
    __u32 reserved;
    __u8 comm[16];
};

struct task_event { /* 56 bytes: header.carrier is the spawner, task the new one's id */
    struct event_header header;
    __u64 task;
    __u64 reserved;
};

#endif
