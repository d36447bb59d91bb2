/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Settings of user space. Constant ones are fixed at load; the verifier drops what they rule out. */
#ifndef GHOSTSPAN_CONFIG_H
#define GHOSTSPAN_CONFIG_H

#include "kernel.h"

/* What a process is that no entry of process_by_tgid names. */
const volatile __u8 default_decision = k_process_traced;

/* 0: the verifier drops all of call_sketch.h; for measurements. */
const volatile __u8 sketches_on = 1;

/* 0 where the kernel refuses what carriers need: capture goes on without them. */
const volatile __u8 carriers_enabled = 1;

/* Grow with every change of process_by_tgid and policy_by_connection: a connection looks again when it is behind. */
__u32 selection_epoch = 1;
__u32 policy_epoch = 1;

#endif
