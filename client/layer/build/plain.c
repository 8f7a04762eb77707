/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a tar is one that every engine unpacks. */
#include "layer/plain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plain_state.h"

int layer_plain_new(const char *dir, struct layer_plain **out, struct err *err)
{
	CLEANUP(layer_plain_free_p)
	struct layer_plain *plain = calloc(1, sizeof(*plain));

	if (!plain)
		return err_nomem(err);
	plain->dir = strdup(dir);
	if (!plain->dir)
		return err_nomem(err);
	if (builder_new(plain->dir, &plain->builder, err) < 0)
		return -err->code;
	*out = steal(&plain);
	return 0;
}

void layer_plain_free(struct layer_plain *plain)
{
	if (!plain)
		return;
	builder_free(plain->builder);
	free(plain->dir);
	free(plain);
}

void layer_plain_add(struct layer_plain *plain, const struct tar_entry *entry)
{
	plain->has_odd |= !entry->is_plain;
	if (!plain->trouble.code)
		builder_add(plain->builder, entry, &plain->trouble);
}

/* From its end, where the last component goes. */
int plain_path(struct builder *builder, uint32_t number, struct buf *out,
    struct err *err)
{
	char path[TAR_NAME_MAX + 2];
	size_t at = sizeof(path) - 1;
	bool is_dir = S_ISDIR(builder_entry(builder, number)->mode);

	buf_reset(out);
	if (number == LAYER_ROOT)
		return buf_addstr(out, "./", err);
	path[at] = '\0';
	for (; number != LAYER_ROOT;
	     number = builder_entry(builder, number)->parent) {
		uint32_t name = builder_entry(builder, number)->name;
		const char *text = builder_text(builder, name);
		size_t len = strlen(text);
		bool slash = is_dir || path[at] != '\0';

		if (len + slash > at)
			return err_set(err, EINVAL,
			    "%s: no tar can hold so long a path", text);
		if (slash)
			path[--at] = '/';
		at -= len;
		memcpy(path + at, text, len);
		is_dir = false;
	}
	return buf_addstr(out, path + at, err);
}

/* A hard link to what is not there, and is in no layer below. */
static int check_links(struct layer_plain *plain, struct err *err)
{
	struct builder *builder = plain->builder;
	AUTO_BUF struct buf path = BUF_INIT(TAR_NAME_MAX + 1);

	if (!builder->has_dangling)
		return 0;
	builder_settle(builder);
	for (uint32_t i = 1; i < builder_count(builder); i++) {
		uint32_t flags = builder_entry(builder, i)->flags;

		if (!(flags & LAYER_DANGLING) || flags & ENTRY_REPLACED)
			continue;
		if (plain_path(builder, i, &path, err) < 0)
			return -err->code;
		return err_set(err, EINVAL,
		    "a hard link to %s, which the tar has not in front of it: "
		    "nobody can unpack the entry %s",
		    builder_target(builder, i), buf_str(&path));
	}
	return 0;
}

int layer_plain_check(struct layer_plain *plain, bool with_base,
    struct err *err)
{
	const struct builder *builder = plain->builder;
	int r = 0;

	if (plain->trouble.code)
		return plain->has_odd;
	if (builder->oddity.code) {
		*err = builder->oddity;
		return -err->code;
	}
	if (!with_base)
		r = check_links(plain, err);
	return r < 0 ? r : plain->has_odd || builder->engines_refuse;
}
