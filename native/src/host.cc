// SPDX-License-Identifier: Apache-2.0
#include "host.h"

#include <sys/mount.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <string>

#include "values.h"

namespace ghostspan {

namespace {

napi_value nanoseconds(napi_env env, clockid_t clock) {
    timespec now = {};
    clock_gettime(clock, &now);
    napi_value result = nullptr;
    napi_create_bigint_int64(env, int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec, &result);
    return result;
}

} // namespace

napi_value clocks(napi_env env, napi_callback_info) {
    napi_value result = nullptr;
    napi_create_object(env, &result);
    set(env, result, "monotonicNs", nanoseconds(env, CLOCK_MONOTONIC));
    set(env, result, "realtimeNs", nanoseconds(env, CLOCK_REALTIME));
    set(env, result, "boottimeNs", nanoseconds(env, CLOCK_BOOTTIME));
    return result;
}

napi_value mount_file_system(napi_env env, napi_callback_info info) {
    std::array<napi_value, 2> arguments;
    std::string type, place;
    if (!read_arguments(env, info, &arguments) || !read_text(env, arguments[0], &type) ||
        !read_text(env, arguments[1], &place))
        return nullptr;
    const int result = ::mount(type.c_str(), place.c_str(), type.c_str(), MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
    return number(env, result == 0 ? 0 : errno);
}

} // namespace ghostspan
