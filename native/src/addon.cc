// SPDX-License-Identifier: Apache-2.0
// What JavaScript sees; src/capture/native-addon.ts has the types and says what each function does.
#include <bpf/bpf.h>
#include <node_api.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "capture.h"
#include "host.h"
#include "values.h"

namespace ghostspan {

namespace {

constexpr napi_type_tag kCaptureTag = {0x6768'6f73'7473'7061ULL, 0x6361'7074'7572'6531ULL};

Capture *capture_of(napi_env env, napi_value value) {
    bool tagged = false;
    void *capture = nullptr;
    if (napi_check_object_type_tag(env, value, &kCaptureTag, &tagged) != napi_ok || !tagged ||
        napi_unwrap(env, value, &capture) != napi_ok) {
        throw_type_error(env, "the handle that open() returned was expected");
        return nullptr;
    }
    return static_cast<Capture *>(capture);
}

Capture *open_capture_of(napi_env env, napi_value value) {
    Capture *capture = capture_of(env, value);
    if (capture != nullptr && !capture->is_open()) {
        napi_throw_error(env, "EBPF_CLOSED", "the capture is closed");
        return nullptr;
    }
    return capture;
}

bpf_map *map_of(napi_env env, const Capture &capture, napi_value value) {
    std::string name;
    if (!read_text(env, value, &name))
        return nullptr;
    bpf_map *map = capture.map(name);
    if (map == nullptr)
        napi_throw_error(env, "EBPF_MAP", ("the BPF object has no map '" + name + "'").c_str());
    return map;
}

void throw_map_error(napi_env env, const bpf_map *map, int error) {
    Outcome outcome;
    outcome.error = error;
    outcome.message = std::string("map '") + bpf_map__name(map) + "': " + strerror(error);
    throw_outcome(env, "EBPF_MAP", outcome);
}

/** Programs and maps go with the environment even when nobody calls close(): worker and process exit. */
void close_at_exit(void *capture) {
    static_cast<Capture *>(capture)->close();
}

void finalize(napi_env env, void *data, void *) {
    napi_remove_env_cleanup_hook(env, close_at_exit, data);
    delete static_cast<Capture *>(data);
}

napi_value open(napi_env env, napi_callback_info info) {
    std::array<napi_value, 5> arguments;
    std::string path;
    OpenOptions options;
    if (!read_arguments(env, info, &arguments) || !read_text(env, arguments[0], &path) ||
        !read_number(env, arguments[1], &options.ring_bytes) || !read_numbers(env, arguments[2], &options.constants) ||
        !read_numbers(env, arguments[3], &options.map_sizes) || !read_texts(env, arguments[4], &options.left_out))
        return nullptr;
    auto capture = std::make_unique<Capture>();
    if (const Outcome outcome = capture->open(path, options); !outcome.ok()) {
        throw_outcome(env, "EBPF_LOAD", outcome);
        return nullptr;
    }
    napi_value handle = nullptr;
    napi_create_object(env, &handle);
    if (napi_wrap(env, handle, capture.get(), finalize, nullptr, nullptr) != napi_ok)
        return nullptr;
    napi_type_tag_object(env, handle, &kCaptureTag);
    napi_add_env_cleanup_hook(env, close_at_exit, capture.release());
    return handle;
}

napi_value attach(napi_env env, napi_callback_info info) {
    std::array<napi_value, 1> arguments;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    if (capture == nullptr)
        return nullptr;
    if (const Outcome outcome = capture->attach(); !outcome.ok())
        throw_outcome(env, "EBPF_LOAD", outcome);
    return nullptr;
}

napi_value detach(napi_env env, napi_callback_info info) {
    std::array<napi_value, 1> arguments;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    if (Capture *capture = open_capture_of(env, arguments[0]); capture != nullptr)
        capture->detach();
    return nullptr;
}

napi_value close(napi_env env, napi_callback_info info) {
    std::array<napi_value, 1> arguments;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    if (Capture *capture = capture_of(env, arguments[0]); capture != nullptr)
        capture->close();
    return nullptr;
}

napi_value read(napi_env env, napi_callback_info info) {
    std::array<napi_value, 2> arguments;
    Bytes buffer;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    if (capture == nullptr || !read_bytes(env, arguments[1], &buffer))
        return nullptr;
    return number(env, static_cast<double>(capture->ring().read(buffer.data, buffer.length)));
}

napi_value pending(napi_env env, napi_callback_info info) {
    std::array<napi_value, 1> arguments;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    return capture == nullptr ? nullptr : number(env, static_cast<double>(capture->ring().pending()));
}

napi_value oversized(napi_env env, napi_callback_info info) {
    std::array<napi_value, 1> arguments;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    return capture == nullptr ? nullptr : number(env, static_cast<double>(capture->ring().oversized()));
}

napi_value update(napi_env env, napi_callback_info info) {
    std::array<napi_value, 4> arguments;
    Bytes keys, values;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    bpf_map *map = capture == nullptr ? nullptr : map_of(env, *capture, arguments[1]);
    if (map == nullptr || !read_bytes(env, arguments[2], &keys) || !read_bytes(env, arguments[3], &values))
        return nullptr;
    // A queue has no keys.
    const size_t key_size = bpf_map__key_size(map), value_size = bpf_map__value_size(map);
    const size_t count = key_size == 0 ? values.length / value_size : keys.length / key_size;
    if (count * key_size != keys.length || count * value_size != values.length) {
        throw_type_error(env, "keys and values must be whole and as many");
        return nullptr;
    }
    for (size_t i = 0; i < count; i++) {
        const void *key = key_size == 0 ? nullptr : keys.data + i * key_size;
        if (bpf_map_update_elem(bpf_map__fd(map), key, values.data + i * value_size, BPF_ANY) != 0) {
            throw_map_error(env, map, errno);
            return nullptr;
        }
    }
    return nullptr;
}

napi_value remove(napi_env env, napi_callback_info info) {
    std::array<napi_value, 3> arguments;
    Bytes keys;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    bpf_map *map = capture == nullptr ? nullptr : map_of(env, *capture, arguments[1]);
    if (map == nullptr || !read_bytes(env, arguments[2], &keys))
        return nullptr;
    const size_t key_size = bpf_map__key_size(map);
    for (size_t at = 0; at + key_size <= keys.length; at += key_size) {
        if (bpf_map_delete_elem(bpf_map__fd(map), keys.data + at) != 0 && errno != ENOENT) {
            throw_map_error(env, map, errno);
            return nullptr;
        }
    }
    return nullptr;
}

napi_value buffer_of(napi_env env, const std::vector<uint8_t> &bytes) {
    void *data = nullptr;
    napi_value memory = nullptr, result = nullptr;
    napi_create_arraybuffer(env, bytes.size(), &data, &memory);
    if (!bytes.empty())
        memcpy(data, bytes.data(), bytes.size());
    napi_create_typedarray(env, napi_uint8_array, bytes.size(), memory, 0, &result);
    return result;
}

napi_value lookup(napi_env env, napi_callback_info info) {
    std::array<napi_value, 3> arguments;
    Bytes key;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    bpf_map *map = capture == nullptr ? nullptr : map_of(env, *capture, arguments[1]);
    if (map == nullptr || !read_bytes(env, arguments[2], &key))
        return nullptr;
    if (key.length != bpf_map__key_size(map)) {
        throw_type_error(env, "a whole key was expected");
        return nullptr;
    }
    size_t size = bpf_map__value_size(map);
    const bpf_map_type type = bpf_map__type(map);
    if (type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH)
        size = ((size + 7) & ~size_t{7}) * static_cast<size_t>(libbpf_num_possible_cpus());
    std::vector<uint8_t> value(size);
    if (bpf_map_lookup_elem(bpf_map__fd(map), key.data, value.data()) != 0) {
        if (errno != ENOENT)
            throw_map_error(env, map, errno);
        return nullptr;
    }
    return buffer_of(env, value);
}

napi_value keys(napi_env env, napi_callback_info info) {
    std::array<napi_value, 2> arguments;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    bpf_map *map = capture == nullptr ? nullptr : map_of(env, *capture, arguments[1]);
    if (map == nullptr)
        return nullptr;
    const size_t size = bpf_map__key_size(map);
    // The map may change under the walk and start it anew; twice its size is the end in any case.
    const size_t limit = 2 * static_cast<size_t>(bpf_map__max_entries(map));
    std::vector<uint8_t> all, key(size);
    const void *before = nullptr;
    for (size_t i = 0; i < limit && bpf_map_get_next_key(bpf_map__fd(map), before, key.data()) == 0; i++) {
        all.insert(all.end(), key.begin(), key.end());
        before = all.data() + all.size() - size;
    }
    return buffer_of(env, all);
}

napi_value advance(napi_env env, napi_callback_info info) {
    std::array<napi_value, 2> arguments;
    std::string name;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    if (capture == nullptr || !read_text(env, arguments[1], &name))
        return nullptr;
    uint32_t *address = capture->variable(name);
    if (address == nullptr) {
        napi_throw_error(env, "EBPF_MAP", ("the BPF object has no variable '" + name + "'").c_str());
        return nullptr;
    }
    return number(env, __atomic_add_fetch(address, 1, __ATOMIC_SEQ_CST));
}

/** What did not work, as a value: a refused probe is an expected outcome. */
napi_value refusal(napi_env env, const Outcome &outcome) {
    napi_value result = nullptr;
    napi_create_object(env, &result);
    set(env, result, "errno", number(env, outcome.error));
    set(env, result, "message", text(env, outcome.message));
    return result;
}

napi_value attach_probe(napi_env env, napi_callback_info info) {
    std::array<napi_value, 7> arguments;
    std::string program;
    ProbeSite site;
    double offset = 0, pid = -1, cookie = 0;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    if (capture == nullptr || !read_text(env, arguments[1], &program) || !read_text(env, arguments[2], &site.path))
        return nullptr;
    if (napi_get_value_double(env, arguments[3], &offset) != napi_ok ||
        napi_get_value_double(env, arguments[4], &pid) != napi_ok ||
        napi_get_value_bool(env, arguments[5], &site.at_return) != napi_ok ||
        napi_get_value_double(env, arguments[6], &cookie) != napi_ok || offset < 0 || cookie < 0) {
        throw_type_error(env, "offset, pid, atReturn and cookie were expected");
        return nullptr;
    }
    site.offset = static_cast<uint64_t>(offset);
    site.pid = static_cast<int32_t>(pid);
    site.cookie = static_cast<uint64_t>(cookie);
    uint32_t id = 0;
    if (const Outcome outcome = capture->attach_probe(program, site, &id); !outcome.ok())
        return refusal(env, outcome);
    return number(env, id);
}

napi_value detach_probe(napi_env env, napi_callback_info info) {
    std::array<napi_value, 2> arguments;
    uint32_t id = 0;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    if (capture != nullptr && read_number(env, arguments[1], &id))
        capture->detach_probe(id);
    return nullptr;
}

napi_value threads(napi_env env, napi_callback_info info) {
    std::array<napi_value, 3> arguments;
    std::string program;
    uint32_t pid = 0;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    Capture *capture = open_capture_of(env, arguments[0]);
    if (capture == nullptr || !read_text(env, arguments[1], &program) || !read_number(env, arguments[2], &pid))
        return nullptr;
    std::vector<uint8_t> bytes;
    if (const Outcome outcome = capture->iterate_threads(program, pid, &bytes); !outcome.ok())
        return refusal(env, outcome);
    return buffer_of(env, bytes);
}

napi_value times(napi_env env, napi_callback_info info) {
    std::array<napi_value, 1> arguments;
    if (!read_arguments(env, info, &arguments))
        return nullptr;
    const Capture *capture = open_capture_of(env, arguments[0]);
    if (capture == nullptr)
        return nullptr;
    napi_value result = nullptr;
    napi_create_array(env, &result);
    uint32_t index = 0;
    for (const ProgramTime &time : capture->times()) {
        napi_value entry = nullptr;
        napi_create_object(env, &entry);
        set(env, entry, "name", text(env, time.name));
        set(env, entry, "nanoseconds", number(env, static_cast<double>(time.nanoseconds)));
        set(env, entry, "runs", number(env, static_cast<double>(time.runs)));
        set(env, entry, "misses", number(env, static_cast<double>(time.misses)));
        napi_set_element(env, result, index++, entry);
    }
    return result;
}

napi_value initialise(napi_env env, napi_value exports) {
    libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
    const std::array functions = {
        std::pair{"open", open},         std::pair{"attach", attach},       std::pair{"detach", detach},
        std::pair{"close", close},
        std::pair{"read", read},         std::pair{"pending", pending},     std::pair{"oversized", oversized},
        std::pair{"update", update},     std::pair{"remove", remove},       std::pair{"lookup", lookup},
        std::pair{"keys", keys},         std::pair{"advance", advance},     std::pair{"times", times},
        std::pair{"attachProbe", attach_probe}, std::pair{"detachProbe", detach_probe}, std::pair{"threads", threads},
        std::pair{"clocks", clocks},     std::pair{"mount", mount_file_system},
    };
    for (const auto &[name, function] : functions) {
        napi_value value = nullptr;
        napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value);
        set(env, exports, name, value);
    }
    return exports;
}

} // namespace

} // namespace ghostspan

NAPI_MODULE_INIT() {
    return ghostspan::initialise(env, exports);
}
