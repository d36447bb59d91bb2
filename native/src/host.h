// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <node_api.h>

/** What JavaScript asks of the host and Node.js does not offer; src/capture/native-addon.ts says what each does. */
namespace ghostspan {

napi_value clocks(napi_env env, napi_callback_info info);
napi_value mount_file_system(napi_env env, napi_callback_info info);

} // namespace ghostspan
