/* SPDX-License-Identifier: Apache-2.0 */
/* The challenges of a response. */
#include "challenge.h"

#include <string.h>

static void read_line(const char *line, struct challenges *out)
{
	struct http_challenge next;

	while (http_challenge_next(&line, &next, ERR_IGNORE) > 0) {
		if (!next.bearer) {
			out->basic = true;
		} else if (!out->bearer && *next.realm) {
			out->bearer = true;
			out->token = next;
		}
	}
}

void challenges_read(const struct http_response *response,
    struct challenges *out)
{
	const char *line;

	memset(out, 0, sizeof(*out));
	for (size_t n = 0;
	     (line = http_header_nth(response, "WWW-Authenticate", n)); n++)
		read_line(line, out);
}
