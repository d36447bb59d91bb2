// SPDX-License-Identifier: Apache-2.0
#include "values.h"

namespace ghostspan {

void throw_type_error(napi_env env, const char *message) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
}

bool read_text(napi_env env, napi_value value, std::string *into) {
    size_t length = 0;
    if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
        throw_type_error(env, "a string was expected");
        return false;
    }
    into->resize(length + 1);
    napi_get_value_string_utf8(env, value, into->data(), length + 1, &length);
    into->resize(length);
    return true;
}

bool read_number(napi_env env, napi_value value, uint32_t *into) {
    if (napi_get_value_uint32(env, value, into) == napi_ok)
        return true;
    throw_type_error(env, "a number was expected");
    return false;
}

bool read_bytes(napi_env env, napi_value value, Bytes *into) {
    napi_typedarray_type type;
    void *data = nullptr;
    size_t length = 0;
    if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array) {
        throw_type_error(env, "a Uint8Array was expected");
        return false;
    }
    into->data = static_cast<uint8_t *>(data);
    into->length = length;
    return true;
}

namespace {

bool is_undefined(napi_env env, napi_value value) {
    napi_valuetype type = napi_undefined;
    napi_typeof(env, value, &type);
    return type == napi_undefined;
}

bool length_of(napi_env env, napi_value array, uint32_t *length) {
    if (napi_get_array_length(env, array, length) == napi_ok)
        return true;
    throw_type_error(env, "an object or array was expected");
    return false;
}

} // namespace

bool read_numbers(napi_env env, napi_value value, NumbersByName *into) {
    if (is_undefined(env, value))
        return true;
    napi_value names;
    uint32_t count = 0;
    if (napi_get_property_names(env, value, &names) != napi_ok) {
        throw_type_error(env, "an object was expected");
        return false;
    }
    if (!length_of(env, names, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        napi_value name, entry;
        std::pair<std::string, uint32_t> read;
        if (napi_get_element(env, names, i, &name) != napi_ok || napi_get_property(env, value, name, &entry) != napi_ok)
            return false;
        if (!read_text(env, name, &read.first) || !read_number(env, entry, &read.second))
            return false;
        into->push_back(std::move(read));
    }
    return true;
}

bool read_texts(napi_env env, napi_value value, std::vector<std::string> *into) {
    if (is_undefined(env, value))
        return true;
    uint32_t count = 0;
    if (!length_of(env, value, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        napi_value entry;
        std::string read;
        if (napi_get_element(env, value, i, &entry) != napi_ok || !read_text(env, entry, &read))
            return false;
        into->push_back(std::move(read));
    }
    return true;
}

napi_value number(napi_env env, double value) {
    napi_value result = nullptr;
    napi_create_double(env, value, &result);
    return result;
}

napi_value text(napi_env env, const std::string &value) {
    napi_value result = nullptr;
    napi_create_string_utf8(env, value.data(), value.size(), &result);
    return result;
}

void set(napi_env env, napi_value object, const char *name, napi_value value) {
    napi_set_named_property(env, object, name, value);
}

void throw_outcome(napi_env env, const char *code, const Outcome &outcome) {
    napi_value error = nullptr;
    napi_create_error(env, text(env, code), text(env, outcome.message), &error);
    set(env, error, "errno", number(env, outcome.error));
    set(env, error, "program", text(env, outcome.program));
    set(env, error, "verifierLog", text(env, outcome.verifier_log));
    napi_throw(env, error);
}

} // namespace ghostspan
