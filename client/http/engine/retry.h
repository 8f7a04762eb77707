/* SPDX-License-Identifier: Apache-2.0 */
/* Which failures may pass, and how long to wait for that. */
#ifndef CLIENT_HTTP_RETRY_H
#define CLIENT_HTTP_RETRY_H

#include <stdbool.h>
#include <stdint.h>

/* code is an errno, positive. */
bool retry_helps_error(int code);
bool retry_helps_status(int status);

/* Where nothing was done: the server was not reached, or is silent. What came
 * back broken may have been done, and trying it for ever does not tell. */
bool retry_is_patient(int code);

/* Milliseconds to wait before the attempt after the `attempts`-th, from 1. The
 * random number makes a crowd of clients spread. */
uint64_t retry_backoff(unsigned attempts, uint32_t random);

#endif
