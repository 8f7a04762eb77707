/* SPDX-License-Identifier: Apache-2.0 */
/* Directory entries, kept compactly. */
#include "dirlist.h"

#include <stdlib.h>

/* As image/seen/names.c: a list of a million repositories still fits. */
enum { DIRLIST_TEXT_MAX = 256 << 20 };

struct dirlist *dirlist_new(struct err *err)
{
	struct dirlist *list = malloc(sizeof(*list));

	if (!list) {
		err_nomem(err);
		return NULL;
	}
	list->names = BUF_INIT(DIRLIST_TEXT_MAX);
	list->entries = BUF_INIT(DIRLIST_TEXT_MAX);
	return list;
}

void dirlist_free(struct dirlist *list)
{
	buf_release(&list->names);
	buf_release(&list->entries);
	free(list);
}

int dirlist_add(struct dirlist *list, const char *name, size_t len, mode_t mode,
    uint64_t ino, struct err *err)
{
	struct dirlist_slot slot = {ino, (uint32_t)list->names.len,
	    mode & S_IFMT};
	int r = buf_add(&list->names, name, len, err);

	if (r == 0)
		r = buf_add(&list->names, "", 1, err);
	if (r == 0)
		r = buf_add(&list->entries, &slot, sizeof(slot), err);
	return r;
}

size_t dirlist_count(const struct dirlist *list)
{
	return list->entries.len / sizeof(struct dirlist_slot);
}

const struct dirlist_slot *dirlist_at(const struct dirlist *list, size_t index)
{
	return (const struct dirlist_slot *)(const void *)list->entries.data +
	       index;
}

const char *dirlist_name(const struct dirlist *list,
    const struct dirlist_slot *slot)
{
	return list->names.data + slot->name;
}
