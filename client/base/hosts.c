/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine's own table says of a host. */
#include "base/hosts.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"

#define HOSTS "/etc/hosts"

enum {
	HOSTS_MAX = 1 << 20, /* bytes; lists of what to block are long */
	LOOPBACK_NET = 127,
};

static const char blanks[] = " \t\r";

/* The next word of a line; NULL at its end, or where a comment begins. */
static const char *next_word(const char **cursor, size_t *len)
{
	const char *word = *cursor + strspn(*cursor, blanks);

	*len = strcspn(word, " \t\r\n#");
	*cursor = word + *len;
	return *len ? word : NULL;
}

static bool is_loopback(const char *address, size_t len, const void *arg)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr v6;
	struct in_addr v4;

	(void)arg;
	if (len >= sizeof(text))
		return false;
	memcpy(text, address, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == LOOPBACK_NET;
	return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* Whether a name is among the words that are left of a line. */
static bool has_name(const char *line, const char *name, size_t name_len)
{
	const char *word;
	size_t len;

	while ((word = next_word(&line, &len)))
		if (len == name_len && strncasecmp(word, name, len) == 0)
			return true;
	return false;
}

bool hosts_all(const char *text, const char *host, hosts_test_fn *test,
    const void *arg)
{
	const size_t name_len = strcspn(host, ":");
	bool found = false;

	for (const char *line = text; *line;) {
		const char *rest = line, *address;
		size_t len;

		address = next_word(&rest, &len);
		if (address && has_name(rest, host, name_len)) {
			if (!test(address, len, arg))
				return false;
			found = true;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return found;
}

bool hosts_loopback(const char *text, const char *host)
{
	return hosts_all(text, host, is_loopback, NULL);
}

struct buf hosts_read(void)
{
	struct buf text = BUF_INIT(HOSTS_MAX);

	if (file_slurp(HOSTS, &text, ERR_IGNORE) < 0)
		buf_reset(&text);
	return text;
}
