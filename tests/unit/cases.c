/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"
#include "base/strf.h"

void case_read(const char *parser, const char *name, struct buf *out)
{
	AUTO_FREE char *path = strf("%s/%s/%s", getenv("CASES"), parser, name);
	struct err err = ERR_INIT;

	assert_non_null(path);
	if (file_slurp(path, out, &err) < 0)
		fail_msg("%s", err.msg);
}

static void case_check(const char *parser, const char *name,
    int (*parse)(const void *data, size_t len, struct err *err),
    const struct refusal *refusal)
{
	AUTO_BUF struct buf data = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	int r;

	case_read(parser, name, &data);
	r = parse(data.data, data.len, &err);
	if (!refusal && strncmp(name, "good-", 5) != 0)
		fail_msg("%s: nothing says why it is refused", name);
	else if (!refusal && r != 0)
		fail_msg("%s: %s", name, err.msg);
	else if (refusal && r != -refusal->code)
		fail_msg("%s: got %d", name, r);
	else if (refusal && !strstr(err.msg, refusal->says))
		fail_msg("%s: %s", name, err.msg);
}

void cases_check(const char *parser,
    int (*parse)(const void *data, size_t len, struct err *err),
    const struct refusal *refusals)
{
	AUTO_FREE char *path = strf("%s/%s", getenv("CASES"), parser);
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t found = 0, count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		const struct refusal *refusal = refusals;

		if (entry->d_name[0] == '.')
			continue;
		while (
		    refusal->name && strcmp(refusal->name, entry->d_name) != 0)
			refusal++;
		found += refusal->name != NULL;
		case_check(parser, entry->d_name, parse,
		    refusal->name ? refusal : NULL);
	}
	closedir(dir);
	while (refusals[count].name)
		count++;
	assert_int_equal(found, count);
}
