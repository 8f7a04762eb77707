/* SPDX-License-Identifier: Apache-2.0 */
/* What an url says about showing it and reaching it. */
#ifndef CLIENT_HTTP_URL_H
#define CLIENT_HTTP_URL_H

#include <stdbool.h>

#include "base/err.h"

/*
 * The url for messages and the log: a new string without user, query and
 * fragment, which may hold credentials (signed urls). NULL with err filled:
 * -EINVAL for what is no http or https url.
 */
char *url_shown(const char *url, struct err *err);

/* Whether the host is this machine: localhost, 127.0.0.0/8, ::1. */
bool url_is_loopback(const char *url);

#endif
