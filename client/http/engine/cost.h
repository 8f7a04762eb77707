/* SPDX-License-Identifier: Apache-2.0 */
/* What attempts cost the operation that they are made for: see base/budget.h.
 */
#ifndef CLIENT_HTTP_COST_H
#define CLIENT_HTTP_COST_H

#include "response.h"

/* ms that an operation may lose, and that the calling thread's has left. */
uint64_t cost_limit(const struct http_options *options);
uint64_t cost_left(const struct http_options *options);

/* The pace that an attempt has to keep. */
struct pace cost_pace(const struct http_options *options);

/* The transfer is over: what it lost, or paid back. */
void cost_charge(const struct http_response *response);

/* The error of an answer that is no more than "later". Returns -errno. */
int cost_refused(const struct http_response *response, struct err *err);

#endif
