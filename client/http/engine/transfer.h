/* SPDX-License-Identifier: Apache-2.0 */
/* The side of a response that libcurl sees. */
#ifndef CLIENT_HTTP_TRANSFER_H
#define CLIENT_HTTP_TRANSFER_H

#include "response.h"

/* Sets the easy handle up. 0 or -ENOMEM. */
int transfer_init(struct http_response *response,
    const struct http_options *options, const struct http_request *request,
    struct err *err);

/* Fills err with what the end of a transfer means: untouched if all is well. */
void transfer_result(const struct http_response *response, CURLcode curl,
    struct err *err);

/* Bytes of the body that went to the connection. */
uint64_t transfer_sent(const struct http_response *response);

/* Bytes of both bodies that moved: that were received, or have reached the
 * other end. */
uint64_t transfer_moved(const struct http_response *response);

#endif
