/* SPDX-License-Identifier: Apache-2.0 */
/* What servers put into header fields: each line as each of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "http/grammar.h"

static void check_challenges(const char *line)
{
	struct http_challenge challenge;
	struct err err = ERR_INIT;
	const char *p = line, *before = line;
	int r;

	while ((r = http_challenge_next(&p, &challenge, &err)) == 1) {
		if (p <= before || p > line + strlen(line))
			abort();
		before = p;
	}
	if (r != 0 && r != -EINVAL)
		abort();
}

static void check_link(const char *line)
{
	struct err err = ERR_INIT;
	char target[64];
	int r = http_link_next(line, target, sizeof(target), &err);

	if (r != 0 && r != 1 && r != -EINVAL)
		abort();
	if (r == 1 && !strstr(line, target))
		abort();
}

static void check_numbers(const char *line)
{
	uint64_t first, last, total;

	if (http_content_range(line, &first, &last, &total) &&
	    (first > last || last >= total))
		abort();
	if (http_upload_range(line, &first) && first == 1)
		abort();
	http_retry_after(line, 0, &first);
}

/* What was resolved is an url, and resolves to itself. */
static void check_url(const char *line)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *url =
	    http_url_resolve("https://host/a/b?c", line, &err);
	AUTO_FREE char *again = NULL;

	if (!url) {
		if (err.code != EINVAL)
			abort();
		return;
	}
	again = http_url_resolve("https://host/a/b?c", url, &err);
	if (!again || strcmp(url, again) != 0 || !http_same_origin(url, again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = malloc(size + 1);
	char *line, *rest;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		AUTO_FREE char *escaped = http_url_escape(line);

		if (!escaped || strspn(escaped, "%") > 1)
			abort();
		check_challenges(line);
		check_link(line);
		check_numbers(line);
		check_url(line);
	}
	return 0;
}
