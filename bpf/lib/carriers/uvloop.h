/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * uvloop 0.17 and 0.18 gather writes: transport.write() puts the transport into the loop's set of writers (PySet_Add),
 * and a callback of the loop's own, with a Context of its own, writes for all of them at the end of the turn. So who
 * asked is kept by file descriptor until then.
 */
#ifndef GHOSTSPAN_CARRIERS_UVLOOP_H
#define GHOSTSPAN_CARRIERS_UVLOOP_H

#include "../../maps/queued_writes.h"
#include "carrier.h"

enum {
    k_uv_handle = 24,     /* UVHandle._handle, behind the object's head and its table of functions */
    k_uv_stream_fd = 184, /* uv_stream_t.io_watcher.fd, libuv 1.x, 64-bit; uv_handle_t.data stands at 0 */
    k_most_descriptors = 1 << 20,
};

/* `member` was added to some set: is it a transport of uvloop's? libuv's handle then points back to it. */
static __always_inline int on_queued_write(const __u64 member)
{
    const __u64 both = bpf_get_current_pid_tgid();
    const __u32 tgid = both >> 32;
    const struct carrier_config *config = carriers_of(tgid);
    __u64 handle = 0, object = 0;
    __u32 descriptor = 0;
    if (!config || !(config->kinds & k_carrier_uvloop))
        return 0;
    if (bpf_probe_read_user(&handle, sizeof(handle), (void *)(member + k_uv_handle)) || !handle ||
        bpf_probe_read_user(&object, sizeof(object), (void *)handle) || object != member ||
        bpf_probe_read_user(&descriptor, sizeof(descriptor), (void *)(handle + k_uv_stream_fd)) ||
        descriptor >= k_most_descriptors)
        return 0;
    struct carrier_thread *thread =
        bpf_task_storage_get(&carrier_threads, bpf_get_current_task_btf(), NULL, 0);
    if (thread)
        thread->checked |= k_carrier_uvloop;
    struct carrier writer;
    find_carrier(tgid, 0, &writer);
    const struct queued_write queued = {.carrier = writer.id, .flags = writer.flags};
    const __u64 key = ((__u64)tgid << 32) | descriptor;
    bpf_map_update_elem(&queued_writes, &key, &queued, BPF_ANY);
    return 0;
}

#endif
