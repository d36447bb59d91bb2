// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The capture where the kernel has no socket tracepoints: Linux 5.14 to 6.2. The same records, told at the end of the
 * system calls that move bytes. Entry points only, the logic is in ../lib.
 */
#define GHOSTSPAN_SYSTEM_CALLS
#include "../lib/system_call.h"
#include "shared_entry_points.h"

SEC("tp_btf/sys_exit")
int BPF_PROG(call_ended, struct pt_regs *registers, long result)
{
    return on_system_call(registers, result);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
