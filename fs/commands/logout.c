/* SPDX-License-Identifier: Apache-2.0 */
/* registryfs logout HOST. */
#include <errno.h>
#include <stdio.h>

#include "creds/creds.h"
#include "registry/registry.h"
#include "words.h"

static void erased(void *arg, const char *where)
{
	printf("Logged out of %s (removed from %s)\n", (const char *)arg,
	    where);
}

int logout_run(const struct command_words *words, struct err *err)
{
	CLEANUP(creds_free_p) struct creds *creds = NULL;
	AUTO_FREE char *host = NULL;
	int r = registry_parse_host(words->operand, &host, err);

	if (r < 0)
		return r;
	creds = creds_new_to_store(words->authfile, err);
	if (!creds)
		return -err->code;
	r = creds_erase(creds, host, erased, host, err);
	if (r == 0)
		printf("Nobody was logged in to %s\n", host);
	return r < 0 ? r : 0;
}
