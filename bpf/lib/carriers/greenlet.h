/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * greenlet 2.0 and later (gevent, eventlet): each thread has a ThreadState {main_greenlet, current_greenlet} in thread
 * local storage of _greenlet.so (greenlet_thread_state.hpp). The carrier is the current greenlet's address, the same as
 * id(greenlet.getcurrent()); the main greenlet is the thread itself.
 */
#ifndef GHOSTSPAN_CARRIERS_GREENLET_H
#define GHOSTSPAN_CARRIERS_GREENLET_H

#include "../../maps/carrier_threads.h"
#include "user_memory.h"

enum {
    k_object_type = 8,          /* PyObject.ob_type */
    k_greenlet_state_made = 1,  /* a ThreadState pointer up to this: none in this thread, not yet or not any more */
};

struct greenlet_pair {
    __u64 main;
    __u64 current;
};

/* False when it could not be found out. */
static __always_inline bool find_greenlet(
    struct carrier_config *config, struct carrier_thread *thread, const __u64 thread_pointer, __u64 *id)
{
    const struct greenlet_layout *layout = &config->layout.python.greenlet;
    __u64 vector, block, state, type;
    struct greenlet_pair pair;
    *id = 0;
    if (!thread->greenlet_state) {
        if (!read_user_word(config, &vector, thread_pointer + layout->vector_offset) ||
            !read_user_word(config, &block, vector + layout->module * layout->vector_entry))
            return false;
        if (!block || block == ~0ULL) /* the thread has not touched greenlet's storage; it may later */
            return true;
        thread->greenlet_state = block + layout->state_offset;
    }
    if (!read_user_word(config, &state, thread->greenlet_state))
        return false;
    if (state <= k_greenlet_state_made)
        return true;
    if (!read_user(config, &pair, sizeof(pair), state))
        return false;
    if (unlikely(!(thread->checked & k_carrier_greenlet))) {
        if (!read_user_word(config, &type, pair.main + k_object_type))
            return false;
        if (type != layout->type) {
            config->counts.mismatches++;
            return false;
        }
        thread->checked |= k_carrier_greenlet;
    }
    if (pair.current != pair.main)
        *id = pair.current;
    return true;
}

#endif
