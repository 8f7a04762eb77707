/* SPDX-License-Identifier: Apache-2.0 */
/* A registry that is open, and whose server follows a test's script. */
#ifndef TESTS_UNIT_REGISTRY_FIXTURE_H
#define TESTS_UNIT_REGISTRY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "registry/registry.h"
#include "server.h"

/* An entry of an auth file: alice with the password secret. */
#define ALICE "{\"auth\":\"YWxpY2U6c2VjcmV0\"}"
#define ALICE_BASIC "Basic YWxpY2U6c2VjcmV0"

struct fixture {
	struct server *server;
	struct http *http;
	struct creds *creds;
	struct registry *registry;
	char authfile[64];
};

/* What registry_open() returns; entry: of the auth file, NULL for none. */
int fixture_try_open(struct fixture *f, server_answer *answer, void *arg,
    const char *entry, struct err *err);

void registry_fixture_open(struct fixture *f, server_answer *answer, void *arg,
    const char *entry);

void registry_fixture_close(struct fixture *f);

/* For scripts: a request that is not as expected is refused with the reason.
 * (cmocka's own assertions are for the test's thread.) */
#define EXPECT(peer, condition) \
	do { \
		if (!(condition)) \
			return peer_reply(peer, 400, "", \
			    "not so: " #condition); \
	} while (0)

/* "GET", "PUT", … */
bool head_method_is(const char *head, const char *method);

/* Whether a field has this value. */
bool head_has(const char *head, const char *name, const char *value);

bool head_has_field(const char *head, const char *name);

/* Whether the request line has this in it. */
bool head_asks(const char *head, const char *part);

/* That a message has the words; shows it if not. */
void assert_says(const char *message, const char *words);

#endif
