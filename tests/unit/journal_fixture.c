/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_fixture.h"

/* A line without its registry, whose port no test knows. */
static char *add_line(char *to, const char *from, size_t len)
{
	static const char start[] = "\"registry\":\"";
	const char *registry = memmem(from, len, start, strlen(start));
	const char *after;

	if (!registry)
		return mempcpy(to, from, len);
	after = strchr(registry + strlen(start), '"');
	assert_non_null(after);
	assert_int_equal(after[1], ',');
	after += 2;
	to = mempcpy(to, from, (size_t)(registry - from));
	return mempcpy(to, after, len - (size_t)(after - from));
}

const char *journal_text(struct journal_file *file)
{
	static char all[JOURNAL_TEXT], out[JOURNAL_TEXT];
	static const char head[] = "{\"time\":\"2026-11-26T00:00:00Z\",";
	struct err err = ERR_INIT;
	ssize_t n = journal_file_read(file, all, sizeof(all) - 1, 0, &err);
	char *to = out;

	assert_true(n >= 0);
	assert_int_equal(n, journal_file_size(file));
	all[n] = '\0';
	for (const char *p = all; *p;) {
		const char *end = strchr(p, '\n');

		assert_non_null(end);
		assert_memory_equal(p, head, strlen("{\"time\":\""));
		p += strlen(head);
		assert_memory_equal(p - 3, "Z\",", 3);
		to = add_line(to, p, (size_t)(end + 1 - p));
		p = end + 1;
	}
	*to = '\0';
	return out;
}

void assert_journal(struct journal *journal, const char *text)
{
	CLEANUP(journal_file_put_p)
	struct journal_file *file = journal_file_get(journal);

	assert_string_equal(journal_text(file), text);
}
