/* SPDX-License-Identifier: Apache-2.0 */
/* How a TLS server is trusted, and how we show who we are. */
#ifndef CLIENT_HTTP_TLS_H
#define CLIENT_HTTP_TLS_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/err.h"
#include "http/http.h"

/* Has to live as long as the easy handle may connect. */
struct tls {
	const struct http_tls *wanted; /* NULL: the system's trust */
	bool identify;     /* may send wanted's certificate: it is its server */
	struct err *cause; /* gets what went wrong while connecting */
};

/* 0 or -ENOMEM. */
int tls_apply(const struct tls *tls, CURL *easy, struct err *err);

#endif
