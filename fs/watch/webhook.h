/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP server for notifications (hint.h), of which nothing is believed
 * but that it is worth to look. It takes POST on any path, bodies of at most 1
 * MiB, and twenty in a second; it answers 200 to what is JSON, else 400, 405,
 * 413 or 429.
 */
#ifndef FS_WATCH_WEBHOOK_H
#define FS_WATCH_WEBHOOK_H

#include "hint.h"

struct webhook;

/* Listens at "[ADDRESS:]PORT" (on loopback, where no address is named; an IPv6
 * one in brackets), and starts the thread that answers, in which each() is
 * called. NULL on failure, err filled: -EADDRINUSE, -EINVAL and others. */
struct webhook *webhook_new(const char *where, hint_fn *each, void *arg,
    struct err *err);

/* each() is not called any more. NULL does nothing. */
void webhook_free(struct webhook *webhook);

/* Whether the text is such an address. -EINVAL with a sentence. */
int webhook_check(const char *where, struct err *err);

#endif
