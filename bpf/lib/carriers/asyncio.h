/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * asyncio, uvloop, anyio: every task and every callback runs in a contextvars Context of its own, and
 * PyThreadState.context names it. The carrier is the Context's address + 1, so that it never equals a greenlet's.
 * A Context that is not entered is the thread's own base: the thread is the carrier.
 */
#ifndef GHOSTSPAN_CARRIERS_ASYNCIO_H
#define GHOSTSPAN_CARRIERS_ASYNCIO_H

#include "../../maps/carrier_threads.h"
#include "user_memory.h"

enum {
    k_context_mark = 1,
    k_keys_a_block = 32, /* glibc, PTHREAD_KEY_2NDLEVEL_SIZE: blocks of { sequence, data } */
    k_thread_words = 16,
};

/* Include/internal/pycore_context.h, 3.7 to 3.13; from ob_type on. */
struct python_context {
    __u64 type;
    __u64 previous;
    __u64 variables;
    __u64 weak_references;
    __u32 entered;
    __u32 padding;
};

/* False when it could not be found out. */
static __always_inline bool find_context(
    struct carrier_config *config, struct carrier_thread *thread, const __u64 thread_pointer, __u64 *id)
{
    const struct asyncio_layout *layout = &config->layout.python.asyncio;
    struct python_context context;
    __u64 block, state, words[k_thread_words];
    *id = 0;
    if (!thread->python_state) {
        const __u32 key = layout->key;
        if (!read_user_word(
                config, &block, thread_pointer + layout->specific_offset + sizeof(__u64) * (key / k_keys_a_block)))
            return false;
        if (!block)
            return true;
        thread->python_state = block + 2 * sizeof(__u64) * (key % k_keys_a_block) + sizeof(__u64);
    }
    /* Not remembered: an embedding program may give its thread another state at any time. */
    if (!read_user_word(config, &state, thread->python_state))
        return false;
    if (!state) /* no thread of Python's */
        return true;
    if (!read_user(config, words, sizeof(words), state + layout->thread_id))
        return false;
    const __u64 at = words[((layout->context - layout->thread_id) / sizeof(__u64)) & (k_thread_words - 1)];
    if (words[0] != thread_pointer) {
        config->counts.mismatches++;
        return false;
    }
    if (!at)
        return true;
    if (!read_user(config, &context, sizeof(context), at + 8))
        return false;
    if (context.type != layout->context_type) {
        config->counts.mismatches++;
        return false;
    }
    if (context.entered)
        *id = at + k_context_mark;
    return true;
}

#endif
