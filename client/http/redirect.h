/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects, which are followed by hand: who may see what is decided here. */
#ifndef CLIENT_HTTP_REDIRECT_H
#define CLIENT_HTTP_REDIRECT_H

#include "http/http.h"

/*
 * Where the response sends its reader after `followed` redirects: 1 with a new
 * string in *url, 0 if it is the answer, or -errno: -ELOOP for too many,
 * -EPROTO from https to http, -EINVAL for what is no url.
 */
int redirect_target(const struct http_request *request,
    const struct http_response *response, unsigned followed, char **url,
    struct err *err);

#endif
