/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_fixture.h"

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
		to = mempcpy(to, p, (size_t)(end + 1 - p));
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
