/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl's failures are to us: an errno, and words for a user. */
#ifndef CLIENT_HTTP_FAILURE_H
#define CLIENT_HTTP_FAILURE_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/err.h"

struct failure {
	CURLcode curl;
	bool asked;         /* the request was on its way */
	long os_errno;      /* CURLINFO_OS_ERRNO */
	const char *detail; /* libcurl's text, may be "" */
};

/* Fills err; returns -code. */
int failure_err(const struct failure *failure, struct err *err);

#endif
