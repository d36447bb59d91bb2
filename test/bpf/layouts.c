/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One of every type that the kernel side shares with TypeScript, so that its layout can be read from BTF. */
#include <linux/types.h>

#include "../../bpf/types/control.h"
#include "../../bpf/types/event.h"
#include "../../bpf/types/sketch.h"

struct event_header event_header;
struct data_event data_event;
struct connection_event connection_event;
struct close_event close_event;
struct process_event process_event;
struct task_event task_event;
struct copy_policy copy_policy;
struct greenlet_layout greenlet_layout;
struct asyncio_layout asyncio_layout;
struct python_layout python_layout;
struct carrier_counts carrier_counts;
struct carrier_config carrier_config;
enum event_op event_op;
enum event_flag event_flag;
enum connection_role connection_role;
enum connection_transport connection_transport;
enum process_decision process_decision;
enum lost_cause lost_cause;
enum carrier_kind carrier_kind;
enum copy_limit copy_limit;
struct call_sketch_key call_sketch_key;
struct call_sketch call_sketch;
enum latency_buckets latency_buckets;
