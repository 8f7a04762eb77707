/* SPDX-License-Identifier: Apache-2.0 */
/* Names in sorted lists. */
#include "names.h"

#include <string.h>

/* How name (len bytes) stands to the text: as strcmp() says. */
static int compare(const char *name, size_t len, const char *text)
{
	int order = strncmp(name, text, len);

	return order ? order : -(text[len] != '\0');
}

struct name_search {
	const struct index_names *names;
	void *list;
	const char *name;
	size_t len;
};

/* Where the name is, or the number before which it would be. */
static uint32_t locate(const struct name_search *search, uint32_t low,
    uint32_t high)
{
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		char text[LAYER_NAME_SIZE];
		int order;

		/* What cannot be peeked at shows when it is read. */
		if (!search->names->peek(search->list, middle, text))
			return middle;
		order = compare(search->name, search->len, text);
		if (order == 0)
			return middle;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How the name stands to that of a number, read: below, at or over 0. */
static int read_order(const struct name_search *search, uint32_t number,
    int *order, struct err *err)
{
	char text[LAYER_NAME_SIZE];
	int r = search->names->read(search->list, number, text, err);

	if (r == 0)
		*order = compare(search->name, search->len, text);
	return r;
}

int names_find(const struct index_names *names, void *list, uint32_t first,
    uint32_t count, const char *name, size_t len, uint32_t *out,
    struct err *err)
{
	const struct name_search what = {names, list, name, len};
	uint32_t at = locate(&what, first, first + count);
	int before = 1, after = -1, r = 0;

	if (at < first + count)
		r = read_order(&what, at, &after, err);
	if (r < 0)
		return r;
	*out = at;
	if (after == 0)
		return 1;
	if (at > first)
		r = read_order(&what, at - 1, &before, err);
	if (r < 0)
		return r;
	return before > 0 && after < 0 ? 0 : names->set_damaged(list, err);
}
