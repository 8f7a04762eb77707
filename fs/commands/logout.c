/* SPDX-License-Identifier: Apache-2.0 */
/* registryfs logout HOST, or --all. */
#include <stdint.h>
#include <stdio.h>

#include "base/map.h"
#include "creds/creds.h"
#include "registry/registry.h"
#include "words.h"

static void erased(void *arg, const char *where)
{
	printf("Logged out of %s (removed from %s)\n", (const char *)arg,
	    where);
}

static int logout(struct creds *creds, const char *host, struct err *err)
{
	return creds_erase(creds, host, erased, (char *)(uintptr_t)host, err);
}

/* The hosts of the files are known before one of them is written. */
static int add_host(void *arg, const char *host, struct err *err)
{
	return map_put(arg, host, arg) < 0 ? err_nomem(err) : 0;
}

/* One that fails does not keep the others. */
static int logout_of_all(struct creds *creds, struct err *err)
{
	CLEANUP(map_release) struct map hosts = MAP_INIT;
	int count = 0;
	int r = creds_hosts(creds, add_host, &hosts, err);

	map_foreach (&hosts, slot) {
		struct err failure = ERR_INIT;
		int one = logout(creds, slot->key, &failure);

		count += one > 0 ? one : 0;
		if (one < 0 && r == 0) {
			*err = failure;
			r = one;
		}
	}
	if (r == 0 && count == 0)
		puts("Nobody was logged in anywhere");
	return r;
}

static int logout_of_one(struct creds *creds, const char *address,
    struct err *err)
{
	AUTO_FREE char *host = NULL;
	int r = registry_parse_host(address, &host, err);

	if (r == 0)
		r = logout(creds, host, err);
	if (r == 0)
		printf("Nobody was logged in to %s\n", host);
	return r < 0 ? r : 0;
}

int logout_run(const struct command_words *words, struct err *err)
{
	CLEANUP(creds_free_p) struct creds *creds = NULL;

	creds = creds_new_to_store(words->authfile, err);
	if (!creds)
		return -err->code;
	return words->all ? logout_of_all(creds, err)
			  : logout_of_one(creds, words->operand, err);
}
