/* SPDX-License-Identifier: Apache-2.0 */
/* Names in text: each line as a reference, a digest and a platform. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "oci/platform.h"
#include "oci/reference.h"

static void check_reference(const char *line)
{
	struct reference reference, name;
	char text[REFERENCE_TEXT_SIZE];
	struct err err = ERR_INIT;

	if (reference_parse(&reference, line, &err) < 0) {
		if (err.code != EINVAL || !err.msg[0])
			abort();
		return;
	}
	if (strncmp(line, reference.name, strlen(reference.name)) != 0)
		abort();
	if (reference.tag[0] &&
	    !tag_valid(reference.tag, strlen(reference.tag)))
		abort();
	if (reference_parse(&name, reference.name, &err) < 0 || name.tag[0])
		abort();
	if (strcmp(reference_format(&reference, text), line) != 0)
		abort();
	if (reference_parse(&name, reference_familiar(&reference, text), &err) <
	    0)
		abort();
}

static void check_digest(const char *line)
{
	struct digest digest;
	struct err err = ERR_INIT;
	char text[DIGEST_TEXT_SIZE];

	if (digest_parse(&digest, line, &err) == 0 &&
	    strcmp(digest_format(&digest, text), line) != 0)
		abort();
}

static void check_platform(const char *line)
{
	struct platform platform, again;
	struct err err = ERR_INIT;
	char text[PLATFORM_TEXT_SIZE];

	if (platform_parse(&platform, line, &err) < 0)
		return;
	platform_format(&platform, '/', text);
	if (platform_parse(&again, text, &err) < 0 ||
	    !platform_match(&platform, &again))
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
		check_reference(line);
		check_digest(line);
		check_platform(line);
		tag_is_referrers(line);
	}
	return 0;
}
