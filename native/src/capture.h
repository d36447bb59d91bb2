// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ring.h"

namespace ghostspan {

/** What went wrong, for the JavaScript error {code, errno, program, verifierLog}. `error` is 0 on success. */
struct Outcome {
    int error = 0;
    std::string message;
    std::string program;
    std::string verifier_log;

    bool ok() const { return error == 0; }
};

struct ProgramTime {
    std::string name;
    uint64_t nanoseconds;
    uint64_t runs;
    uint64_t misses; // entered while it was running on the same CPU, hence not run
};

struct OpenOptions {
    uint32_t ring_bytes = 0; // 0: as the object says
    std::vector<std::pair<std::string, uint32_t>> constants;
    std::vector<std::pair<std::string, uint32_t>> map_sizes;
    std::vector<std::string> left_out; // programs not to load
};

/** Where a uprobe sits: an instruction of a file, for the processes that have it mapped. */
struct ProbeSite {
    std::string path;
    uint64_t offset = 0;
    int32_t pid = -1; // -1: all processes
    bool at_return = false;
    uint64_t cookie = 0;
};

/** One loaded BPF object with its ring. Knows sizes and names, not what records mean. */
class Capture {
public:
    Capture() = default;
    Capture(const Capture &) = delete;
    Capture &operator=(const Capture &) = delete;
    ~Capture() { close(); }

    Outcome open(const std::string &path, const OpenOptions &options);
    /** Attaches every program that says itself where to; probes and iterators do not. */
    Outcome attach();
    void detach() { links_.clear(); }
    /** Puts the program at one more site; `id` names the probe for detach_probe. */
    Outcome attach_probe(const std::string &program, const ProbeSite &site, uint32_t *id);
    void detach_probe(uint32_t id) { probes_.erase(id); }
    /** What an iterator program (SEC "iter/task") writes about the threads of one process; before Linux 6.1, of all. */
    Outcome iterate_threads(const std::string &program, uint32_t pid, std::vector<uint8_t> *into);
    void close();
    bool is_open() const { return object_ != nullptr; }

    Ring &ring() { return ring_; }
    /** The map of that name, or null. */
    bpf_map *map(const std::string &name) const;
    /** A 32-bit global variable of the programs (.data), or null; writes are seen by them at once. */
    uint32_t *variable(const std::string &name) const;
    std::vector<ProgramTime> times() const;

private:
    struct ObjectCloser {
        void operator()(bpf_object *object) const { bpf_object__close(object); }
    };
    struct LinkDestroyer {
        void operator()(bpf_link *link) const { bpf_link__destroy(link); }
    };

    bool find_variable(const char *section, const std::string &name, size_t *offset, size_t *size) const;
    bool set_constant(const std::string &name, uint32_t value);
    int map_variables();
    Outcome prepare(const OpenOptions &options);

    std::unique_ptr<bpf_object, ObjectCloser> object_;
    std::vector<std::unique_ptr<bpf_link, LinkDestroyer>> links_;
    std::map<uint32_t, std::unique_ptr<bpf_link, LinkDestroyer>> probes_;
    uint32_t probes_made_ = 0;
    Ring ring_;
    uint8_t *variables_ = nullptr;
    size_t variables_bytes_ = 0;
};

} // namespace ghostspan
