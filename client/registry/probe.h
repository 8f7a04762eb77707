/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v2/, the question whether there is a registry. */
#ifndef CLIENT_REGISTRY_PROBE_H
#define CLIENT_REGISTRY_PROBE_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "http/http.h"

/* Asks below root, "https://HOST" or that with a path; once more where the
 * answer is "later", but not where there is no answer: the next way may be the
 * right one. Errors as http_open(). */
int probe_ask(struct http *http, const char *root, const struct http_tls *tls,
    struct http_response **out, struct err *err);

/* The same in a thread of its own. NULL on failure, err filled. tls outlives
 * it. */
struct probe *probe_start(struct http *http, const char *root,
    const struct http_tls *tls, struct err *err);

/* Whether it ends within that time. */
bool probe_wait(struct probe *probe, unsigned ms);

/* Waits for its end, and what it found. */
int probe_end(struct probe *probe, struct http_response **out, struct err *err);

/* Gives it up if it has not ended. */
void probe_free(struct probe *probe);

DEFINE_CLEANUP(struct probe *, probe_free);

#endif
