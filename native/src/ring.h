// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace ghostspan {

/**
 * The reading end of a BPF ring buffer (kernel/bpf/ringbuf.c, Linux 5.8). libbpf's own reader calls back for every
 * record; this one copies whole records into a caller's memory, as many as fit.
 */
class Ring {
public:
    Ring() = default;
    Ring(const Ring &) = delete;
    Ring &operator=(const Ring &) = delete;
    ~Ring() { close(); }

    /** Maps the ring behind the descriptor; returns 0 or -errno. The descriptor stays the caller's. */
    int open(int descriptor, size_t bytes);
    void close();

    /**
     * Copies records to `into`, each at a multiple of 8 and cut to its true size (its first four bytes). Returns the
     * bytes written. A record longer than `capacity` as a whole is dropped and counted in `oversized`.
     */
    size_t read(uint8_t *into, size_t capacity);

    /** Bytes that wait in the ring, headers included. */
    size_t pending() const;
    uint64_t oversized() const { return oversized_; }

private:
    /** Copies bytes that may go on at the ring's beginning; `position` counts as the kernel's do, without end. */
    void copy(uint8_t *into, uint64_t position, size_t size) const;

    uint8_t *consumer_ = nullptr;
    const uint8_t *producer_ = nullptr;
    size_t bytes_ = 0;
    size_t page_ = 0;
    uint64_t oversized_ = 0;
};

} // namespace ghostspan
