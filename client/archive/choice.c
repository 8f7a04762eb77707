/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the images of an archive is meant. */
#include "choice.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "list.h"

static bool all_one(const struct choice *choices, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (strcmp(choices[i].id, choices[0].id) != 0)
			return false;
	return true;
}

static bool has_tag(const struct choice *choice, const char *tag)
{
	for (size_t i = 0; i < choice->name_count; i++)
		if (strcmp(choice->names[i].tag, tag) == 0)
			return true;
	return false;
}

static int refuse(const struct choice *choices, size_t count, const char *tag,
    const char *how_many, struct err *err)
{
	AUTO_BUF struct buf list = BUF_INIT(LIST_MAX);
	bool room = true;

	for (size_t i = 0; i < count; i++) {
		if (choices[i].name_count == 0)
			room = room && list_add(&list, "one without a name");
		for (size_t k = 0; k < choices[i].name_count; k++)
			room =
			    room && list_add(&list, choices[i].names[k].text);
	}
	return err_set(err, EINVAL,
	    "the archive holds several images, %s of them with the tag %s: "
	    "%s%s",
	    how_many, tag, buf_str(&list), room ? "" : "…");
}

int choice_make(const struct choice *choices, size_t count, const char *tag,
    size_t *out, struct err *err)
{
	size_t found = count;

	if (all_one(choices, count)) {
		*out = 0;
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (!has_tag(&choices[i], tag))
			continue;
		if (found < count &&
		    strcmp(choices[found].id, choices[i].id) != 0)
			return refuse(choices, count, tag, "more than one",
			    err);
		found = i;
	}
	if (found == count)
		return refuse(choices, count, tag, "none", err);
	*out = found;
	return 0;
}
