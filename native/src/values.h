// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <node_api.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "capture.h"

/** Between JavaScript values and C++ ones. A false return leaves a JavaScript exception pending. */
namespace ghostspan {

struct Bytes {
    uint8_t *data = nullptr;
    size_t length = 0;
};

using NumbersByName = std::vector<std::pair<std::string, uint32_t>>;

template <size_t count> bool read_arguments(napi_env env, napi_callback_info info, std::array<napi_value, count> *into) {
    size_t given = count;
    return napi_get_cb_info(env, info, &given, into->data(), nullptr, nullptr) == napi_ok;
}
bool read_text(napi_env env, napi_value value, std::string *into);
bool read_number(napi_env env, napi_value value, uint32_t *into);
bool read_bytes(napi_env env, napi_value value, Bytes *into);
/** An object of numbers; undefined is empty. */
bool read_numbers(napi_env env, napi_value value, NumbersByName *into);
bool read_texts(napi_env env, napi_value value, std::vector<std::string> *into);

napi_value number(napi_env env, double value);
napi_value text(napi_env env, const std::string &value);
void set(napi_env env, napi_value object, const char *name, napi_value value);

/** A TypeError with code ERR_INVALID_ARG_TYPE. */
void throw_type_error(napi_env env, const char *message);
/** An Error {code, errno, program, verifierLog}. */
void throw_outcome(napi_env env, const char *code, const Outcome &outcome);

} // namespace ghostspan
