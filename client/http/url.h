/* SPDX-License-Identifier: Apache-2.0 */
/* What of an url may be shown. */
#ifndef CLIENT_HTTP_URL_H
#define CLIENT_HTTP_URL_H

#include "base/err.h"

/*
 * The url for messages and the log: a new string without user, query and
 * fragment, which may hold credentials (signed urls). NULL with err filled:
 * -EINVAL for what is no http or https url.
 */
char *url_shown(const char *url, struct err *err);

#endif
