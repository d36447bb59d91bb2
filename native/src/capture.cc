// SPDX-License-Identifier: Apache-2.0
#include "capture.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace ghostspan {

namespace {

constexpr size_t kLogLimit = 256 * 1024;

/** libbpf says what went wrong only by printing it; one call at a time collects here. */
thread_local std::string *collected = nullptr;

int collect(libbpf_print_level level, const char *format, va_list arguments) {
    if (level == LIBBPF_DEBUG || collected == nullptr || collected->size() > kLogLimit)
        return 0;
    va_list measure;
    va_copy(measure, arguments);
    const int length = vsnprintf(nullptr, 0, format, measure);
    va_end(measure);
    if (length <= 0)
        return 0;
    const size_t start = collected->size();
    collected->resize(start + static_cast<size_t>(length) + 1);
    vsnprintf(collected->data() + start, static_cast<size_t>(length) + 1, format, arguments);
    collected->resize(start + static_cast<size_t>(length));
    return 0;
}

class Collecting {
public:
    explicit Collecting(std::string *into) {
        collected = into;
        libbpf_set_print(collect);
    }
    ~Collecting() { collected = nullptr; }
    Collecting(const Collecting &) = delete;
    Collecting &operator=(const Collecting &) = delete;
};

std::string between(const std::string &text, const std::string &from, const std::string &to) {
    const size_t start = text.find(from);
    if (start == std::string::npos)
        return "";
    const size_t end = text.find(to, start + from.size());
    return text.substr(start + from.size(), end == std::string::npos ? end : end - start - from.size());
}

Outcome failure(int error, std::string message, const std::string &log) {
    Outcome outcome;
    outcome.error = error < 0 ? -error : error;
    outcome.message = std::move(message) + ": " + strerror(outcome.error);
    outcome.program = between(log, "prog '", "'");
    outcome.verifier_log = log;
    return outcome;
}

/** Uprobes and iterators: libbpf cannot know where they belong. */
bool attaches_by_itself(const bpf_program *program) {
    return bpf_program__type(program) != BPF_PROG_TYPE_KPROBE &&
           bpf_program__expected_attach_type(program) != BPF_TRACE_ITER;
}

} // namespace

Outcome Capture::open(const std::string &path, const OpenOptions &options) {
    std::string log;
    const Collecting collecting(&log);
    bpf_object *object = bpf_object__open_file(path.c_str(), nullptr);
    if (const long error = libbpf_get_error(object); error != 0)
        return failure(static_cast<int>(error), "cannot read the BPF object " + path, log);
    object_.reset(object);
    if (Outcome outcome = prepare(options); !outcome.ok()) {
        close();
        return outcome;
    }
    if (const int error = bpf_object__load(object_.get()); error != 0) {
        Outcome outcome = failure(error, "the kernel refused the BPF programs of " + path, log);
        close();
        return outcome;
    }
    const bpf_map *events = map("events");
    if (events == nullptr) {
        close();
        return failure(ENOENT, "no map 'events' in " + path, log);
    }
    if (const int error = ring_.open(bpf_map__fd(events), bpf_map__max_entries(events)); error != 0) {
        close();
        return failure(error, "cannot map the ring buffer", log);
    }
    if (const int error = map_variables(); error != 0) {
        close();
        return failure(error, "cannot map the programs' variables", log);
    }
    return {};
}

Outcome Capture::prepare(const OpenOptions &options) {
    for (const auto &[name, value] : options.constants) {
        if (!set_constant(name, value))
            return failure(ENOENT, "no constant '" + name + "' in the BPF object", "");
    }
    for (const auto &[name, entries] : options.map_sizes) {
        bpf_map *sized = map(name);
        if (sized == nullptr)
            return failure(ENOENT, "no map '" + name + "' in the BPF object", "");
        bpf_map__set_max_entries(sized, entries);
    }
    for (const auto &name : options.left_out) {
        bpf_program *program = bpf_object__find_program_by_name(object_.get(), name.c_str());
        if (program == nullptr)
            return failure(ENOENT, "no program '" + name + "' in the BPF object", "");
        bpf_program__set_autoload(program, false);
    }
    if (options.ring_bytes != 0) {
        bpf_map *events = map("events");
        if (events == nullptr || bpf_map__set_max_entries(events, options.ring_bytes) != 0)
            return failure(EINVAL, "cannot size the ring buffer", "");
    }
    return {};
}

Outcome Capture::attach() {
    std::string log;
    const Collecting collecting(&log);
    if (!links_.empty())
        return {};
    bpf_program *program;
    bpf_object__for_each_program(program, object_.get()) {
        if (!bpf_program__autoload(program) || !attaches_by_itself(program))
            continue;
        bpf_link *link = bpf_program__attach(program);
        if (const long error = libbpf_get_error(link); error != 0) {
            links_.clear();
            Outcome outcome = failure(static_cast<int>(error), "cannot attach a BPF program", log);
            outcome.program = bpf_program__name(program);
            return outcome;
        }
        links_.emplace_back(link);
    }
    return {};
}

Outcome Capture::attach_probe(const std::string &program, const ProbeSite &site, uint32_t *id) {
    std::string log;
    const Collecting collecting(&log);
    bpf_program *found = bpf_object__find_program_by_name(object_.get(), program.c_str());
    if (found == nullptr || bpf_program__fd(found) < 0)
        return failure(ENOENT, "the BPF program '" + program + "' is not loaded", log);
    bpf_uprobe_opts options = {};
    options.sz = sizeof options;
    options.retprobe = site.at_return;
    options.bpf_cookie = site.cookie;
    bpf_link *link = bpf_program__attach_uprobe_opts(found, site.pid, site.path.c_str(), site.offset, &options);
    if (const long error = libbpf_get_error(link); error != 0)
        return failure(static_cast<int>(error), "cannot put a probe into " + site.path, log);
    *id = ++probes_made_;
    probes_.emplace(*id, link);
    return {};
}

Outcome Capture::iterate_threads(const std::string &program, const uint32_t pid, std::vector<uint8_t> *into) {
    std::string log;
    const Collecting collecting(&log);
    bpf_program *found = bpf_object__find_program_by_name(object_.get(), program.c_str());
    if (found == nullptr || bpf_program__fd(found) < 0)
        return failure(ENOENT, "the BPF program '" + program + "' is not loaded", log);
    bpf_iter_link_info which = {};
    which.task.pid = pid;
    bpf_iter_attach_opts options = {};
    options.sz = sizeof options;
    options.link_info = &which;
    options.link_info_len = sizeof which;
    std::unique_ptr<bpf_link, LinkDestroyer> link(bpf_program__attach_iter(found, &options));
    // Before Linux 6.1 an iterator over tasks knows all of them only.
    if (libbpf_get_error(link.get()) != 0)
        link.reset(bpf_program__attach_iter(found, nullptr));
    if (const long error = libbpf_get_error(link.get()); error != 0)
        return failure(static_cast<int>(error), "cannot look at the threads of a process", log);
    const int iterator = bpf_iter_create(bpf_link__fd(link.get()));
    if (iterator < 0)
        return failure(errno, "cannot look at the threads of a process", log);
    std::array<uint8_t, 4096> buffer;
    ssize_t got = 0;
    while ((got = ::read(iterator, buffer.data(), buffer.size())) > 0)
        into->insert(into->end(), buffer.data(), buffer.data() + got);
    const int error = got < 0 ? errno : 0;
    ::close(iterator);
    return error == 0 ? Outcome{} : failure(error, "cannot look at the threads of a process", log);
}

void Capture::close() {
    probes_.clear();
    links_.clear();
    ring_.close();
    if (variables_ != nullptr)
        munmap(variables_, variables_bytes_);
    variables_ = nullptr;
    object_.reset();
}

bpf_map *Capture::map(const std::string &name) const {
    return object_ ? bpf_object__find_map_by_name(object_.get(), name.c_str()) : nullptr;
}

bool Capture::find_variable(const char *section, const std::string &name, size_t *offset, size_t *size) const {
    const btf *types = bpf_object__btf(object_.get());
    const int id = types == nullptr ? -1 : btf__find_by_name_kind(types, section, BTF_KIND_DATASEC);
    if (id < 0)
        return false;
    const btf_type *data = btf__type_by_id(types, static_cast<uint32_t>(id));
    const btf_var_secinfo *variables = btf_var_secinfos(data);
    for (int i = 0; i < btf_vlen(data); i++) {
        const btf_type *variable = btf__type_by_id(types, variables[i].type);
        if (name == btf__name_by_offset(types, variable->name_off)) {
            *offset = variables[i].offset;
            *size = variables[i].size;
            return true;
        }
    }
    return false;
}

bool Capture::set_constant(const std::string &name, uint32_t value) {
    size_t whole = 0, offset = 0, size = 0;
    bpf_map *constants = map(".rodata");
    if (constants == nullptr || !find_variable(".rodata", name, &offset, &size) || size > sizeof value)
        return false;
    auto *start = static_cast<uint8_t *>(const_cast<void *>(bpf_map__initial_value(constants, &whole)));
    if (start == nullptr || offset + size > whole)
        return false;
    memcpy(start + offset, &value, size);
    return true;
}

int Capture::map_variables() {
    const bpf_map *data = map(".data");
    if (data == nullptr)
        return 0;
    variables_bytes_ = bpf_map__value_size(data);
    void *mapped = mmap(nullptr, variables_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(data), 0);
    if (mapped == MAP_FAILED)
        return -errno;
    variables_ = static_cast<uint8_t *>(mapped);
    return 0;
}

uint32_t *Capture::variable(const std::string &name) const {
    size_t offset = 0, size = 0;
    if (variables_ == nullptr || !find_variable(".data", name, &offset, &size) || size != sizeof(uint32_t) ||
        offset + size > variables_bytes_)
        return nullptr;
    return reinterpret_cast<uint32_t *>(variables_ + offset);
}

std::vector<ProgramTime> Capture::times() const {
    std::vector<ProgramTime> result;
    if (!object_)
        return result;
    bpf_program *program;
    bpf_object__for_each_program(program, object_.get()) {
        const int descriptor = bpf_program__fd(program);
        bpf_prog_info info = {};
        uint32_t length = sizeof info;
        if (descriptor < 0 || bpf_obj_get_info_by_fd(descriptor, &info, &length) != 0)
            continue;
        result.push_back({bpf_program__name(program), info.run_time_ns, info.run_cnt, info.recursion_misses});
    }
    return result;
}

} // namespace ghostspan
