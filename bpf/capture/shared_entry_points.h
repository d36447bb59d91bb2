/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Entry points that every capture has, whatever tells it of socket calls. */
#ifndef GHOSTSPAN_SHARED_ENTRY_POINTS_H
#define GHOSTSPAN_SHARED_ENTRY_POINTS_H

#include "../lib/carriers/birth.h"
#include "../lib/carriers/node.h"
#include "../lib/carriers/threads.h"
#include "../lib/carriers/uvloop.h"
#include "../lib/life.h"

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(socket_state_set, const struct sock *sk, int before, int after)
{
    return on_state((struct sock *)sk, before, after);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(socket_destroyed, struct sock *sk)
{
    return on_destroy(sk);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_forked, struct task_struct *parent, struct task_struct *child)
{
    return on_fork(parent, child);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_replaced, struct task_struct *task)
{
    return on_exec(task);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_ended, struct task_struct *task)
{
    return on_exit(task);
}

/*
 * Below: carriers. Attached by user space where they are needed (CARRIER_PROGRAMS in src/capture/carriers/ has their
 * names); the capture goes on without them where the kernel refuses them.
 */

/* green_init(self, …), tp_init of PyGreenlet_Type: a greenlet was made, to run later. */
SEC("uprobe")
int BPF_KPROBE(greenlet_born, void *self)
{
    return on_birth((__u64)self, k_carrier_greenlet);
}

/* PyContext_CopyCurrent() returned: every way into a task or callback of asyncio goes through it. */
SEC("uretprobe")
int BPF_KRETPROBE(context_copied, void *copy)
{
    return on_birth(copy ? (__u64)copy + k_context_mark : 0, k_carrier_asyncio);
}

/* PySet_Add(set, member), in processes whose uvloop gathers writes. */
SEC("uprobe")
int BPF_KPROBE(write_queued, void *set, void *member)
{
    return on_queued_write((__u64)member);
}

/* A phase of Node.js' loop begins that runs callbacks which no read brought. */
SEC("uprobe")
int BPF_KPROBE(phase_begun)
{
    begin_phase(bpf_get_current_pid_tgid() >> 32, 0);
    return 0;
}

/* uv__work_submit(loop, work, …) of libuv: the thread pool is to do something, for whom the loop works for now. */
SEC("uprobe")
int BPF_KPROBE(work_ordered, void *loop, void *work)
{
    return on_birth((__u64)work, k_carrier_node);
}

/* uv__fs_done(work, …) and its like, in the loop's thread: it goes on with whatever ordered that. */
SEC("uprobe")
int BPF_KPROBE(work_done, void *work)
{
    begin_phase(bpf_get_current_pid_tgid() >> 32, (__u64)work);
    return 0;
}

SEC("iter/task")
int thread_pointers(struct bpf_iter__task *context)
{
    return tell_thread(context);
}

#endif
