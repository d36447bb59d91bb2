// SPDX-License-Identifier: Apache-2.0
#include "ring.h"

#include <cerrno>
#include <cstring>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ghostspan {

namespace {

constexpr size_t kAlignment = 8;

size_t round_up(size_t value) {
    return (value + kAlignment - 1) & ~(kAlignment - 1);
}

} // namespace

int Ring::open(int descriptor, size_t bytes) {
    page_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void *consumer = mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (consumer == MAP_FAILED)
        return -errno;
    // The kernel would map the data pages twice in a row, so that no record is seen broken in two. They would count
    // twice as resident memory, too; records are copied anyway, and the one at the seam is copied in two parts.
    void *producer = mmap(nullptr, page_ + bytes, PROT_READ, MAP_SHARED, descriptor, static_cast<off_t>(page_));
    if (producer == MAP_FAILED) {
        const int error = -errno;
        munmap(consumer, page_);
        return error;
    }
    consumer_ = static_cast<uint8_t *>(consumer);
    producer_ = static_cast<const uint8_t *>(producer);
    bytes_ = bytes;
    return 0;
}

void Ring::close() {
    if (consumer_ == nullptr)
        return;
    munmap(consumer_, page_);
    munmap(const_cast<uint8_t *>(producer_), page_ + bytes_);
    consumer_ = nullptr;
    producer_ = nullptr;
}

size_t Ring::pending() const {
    if (consumer_ == nullptr)
        return 0;
    const auto produced = __atomic_load_n(reinterpret_cast<const uint64_t *>(producer_), __ATOMIC_ACQUIRE);
    return produced - __atomic_load_n(reinterpret_cast<const uint64_t *>(consumer_), __ATOMIC_RELAXED);
}

void Ring::copy(uint8_t *into, uint64_t position, size_t size) const {
    const uint8_t *data = producer_ + page_;
    const size_t start = position & (bytes_ - 1);
    const size_t first = size < bytes_ - start ? size : bytes_ - start;
    memcpy(into, data + start, first);
    memcpy(into + first, data, size - first);
}

size_t Ring::read(uint8_t *into, size_t capacity) {
    if (consumer_ == nullptr)
        return 0;
    auto *position = reinterpret_cast<uint64_t *>(consumer_);
    const uint8_t *data = producer_ + page_;
    uint64_t consumed = __atomic_load_n(position, __ATOMIC_RELAXED);
    const uint64_t produced = __atomic_load_n(reinterpret_cast<const uint64_t *>(producer_), __ATOMIC_ACQUIRE);
    size_t written = 0;
    while (consumed < produced) {
        const uint8_t *record = data + (consumed & (bytes_ - 1));
        const uint32_t header = __atomic_load_n(reinterpret_cast<const uint32_t *>(record), __ATOMIC_ACQUIRE);
        if (header & BPF_RINGBUF_BUSY_BIT)
            break;
        const size_t room = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
        if (!(header & BPF_RINGBUF_DISCARD_BIT)) {
            const uint64_t body = consumed + BPF_RINGBUF_HDR_SZ;
            uint32_t size;
            memcpy(&size, data + (body & (bytes_ - 1)), sizeof size);
            if (size > room)
                size = static_cast<uint32_t>(room);
            const size_t padded = round_up(size);
            if (padded > capacity) {
                oversized_++;
            } else {
                if (padded > capacity - written)
                    break;
                copy(into + written, body, size);
                memset(into + written + size, 0, padded - size);
                written += padded;
            }
        }
        consumed += round_up(room + BPF_RINGBUF_HDR_SZ);
    }
    __atomic_store_n(position, consumed, __ATOMIC_RELEASE);
    return written;
}

} // namespace ghostspan
