/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted lists of names: one block of text and the offsets into it. */
#include "image/names.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* A million names of 255 characters; a registry that says more is lying or not
 * to be listed. */
enum { NAMES_TEXT_MAX = 256 << 20, NAMES_MAX = 16 << 20 };

struct names {
	atomic_uint refs;
	char *text;
	uint32_t *offsets; /* into text, in order */
	size_t count;
};

struct names_builder {
	struct buf text;
	struct buf offsets; /* uint32_t each */
};

/* strncmp() with '/' before everything but the end. */
static int names_compare(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char x = (unsigned char)a[i];
		unsigned char y = (unsigned char)b[i];

		if (x != y) {
			x = x == '/' ? 1 : x;
			y = y == '/' ? 1 : y;
			return x < y ? -1 : 1;
		}
		if (!x)
			return 0;
	}
	return 0;
}

struct names_builder *names_builder_new(struct err *err)
{
	struct names_builder *builder = calloc(1, sizeof(*builder));

	if (!builder) {
		err_nomem(err);
		return NULL;
	}
	builder->text = BUF_INIT(NAMES_TEXT_MAX);
	builder->offsets = BUF_INIT(NAMES_MAX * sizeof(uint32_t));
	return builder;
}

int names_builder_add(struct names_builder *builder, const char *name,
    struct err *err)
{
	uint32_t offset = (uint32_t)builder->text.len;
	int r = buf_add(&builder->text, name, strlen(name) + 1, err);

	if (r < 0)
		return r;
	return buf_add(&builder->offsets, &offset, sizeof(offset), err);
}

void names_builder_free(struct names_builder *builder)
{
	buf_release(&builder->text);
	buf_release(&builder->offsets);
	free(builder);
}

static int offset_compare(const void *a, const void *b, void *arg)
{
	const struct names *names = arg;

	return names_compare(names->text + *(const uint32_t *)a,
	    names->text + *(const uint32_t *)b, SIZE_MAX);
}

static void names_sort(struct names *names)
{
	size_t kept = 0;

	if (names->count)
		qsort_r(names->offsets, names->count, sizeof(*names->offsets),
		    offset_compare, names);
	for (size_t i = 0; i < names->count; i++) {
		if (kept &&
		    !strcmp(names_at(names, kept - 1), names_at(names, i)))
			continue;
		names->offsets[kept++] = names->offsets[i];
	}
	names->count = kept;
}

int names_builder_take(struct names_builder *builder, struct names **out,
    struct err *err)
{
	CLEANUP(names_builder_free_p) struct names_builder *owned = builder;
	struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return err_nomem(err);
	atomic_init(&names->refs, 1);
	names->count = owned->offsets.len / sizeof(uint32_t);
	names->text = buf_steal(&owned->text);
	names->offsets = (uint32_t *)(void *)buf_steal(&owned->offsets);
	if (!names->text || !names->offsets) {
		names_put(names);
		return err_nomem(err);
	}
	names_sort(names);
	*out = names;
	return 0;
}

struct names *names_get(struct names *names)
{
	atomic_fetch_add(&names->refs, 1);
	return names;
}

void names_put(struct names *names)
{
	if (!names || atomic_fetch_sub(&names->refs, 1) > 1)
		return;
	free(names->text);
	free(names->offsets);
	free(names);
}

size_t names_count(const struct names *names)
{
	return names->count;
}

const char *names_at(const struct names *names, size_t index)
{
	return names->text + names->offsets[index];
}

/* The first name that is not before text (len characters of it). */
static size_t names_lower(const struct names *names, const char *text,
    size_t len)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names_compare(names_at(names, middle), text, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool names_has(const struct names *names, const char *name)
{
	size_t i = names_lower(names, name, SIZE_MAX);

	return i < names->count && !strcmp(names_at(names, i), name);
}

/* What stands below the prefix in the name at index, or NULL. */
static const char *names_below(const struct names *names, size_t index,
    const char *prefix)
{
	size_t len = strlen(prefix);
	const char *name;

	if (index >= names->count)
		return NULL;
	name = names_at(names, index);
	if (!len)
		return name;
	if (strncmp(name, prefix, len) || name[len] != '/')
		return NULL;
	return name + len + 1;
}

/* Where the names below prefix begin. */
static size_t names_first_below(const struct names *names, const char *prefix)
{
	size_t i;

	if (!*prefix)
		return 0;
	i = names_lower(names, prefix, SIZE_MAX);
	/* The prefix itself, if it is a name, is right before them. */
	return i < names->count && !strcmp(names_at(names, i), prefix) ? i + 1
								       : i;
}

bool names_child_next(const struct names *names, const char *prefix,
    size_t *cursor, struct names_child *out)
{
	size_t i = *cursor ? *cursor : names_first_below(names, prefix);
	const char *rest = names_below(names, i, prefix);

	if (!rest)
		return false;
	out->name = rest;
	out->len = strcspn(rest, "/");
	out->is_name = !rest[out->len];
	out->is_prefix = !out->is_name;
	for (i++; (rest = names_below(names, i, prefix)); i++) {
		if (strncmp(rest, out->name, out->len) || rest[out->len] != '/')
			break;
		out->is_prefix = true;
	}
	*cursor = i;
	return true;
}

bool names_has_below(const struct names *names, const char *prefix)
{
	return names_below(names, names_first_below(names, prefix), prefix);
}

/* The names of a list that another one has not, in *out; NULL if there are
 * none. Both are gone through side by side. */
static int names_minus(const struct names *names, const struct names *other,
    struct names **out, struct err *err)
{
	CLEANUP(names_builder_free_p) struct names_builder *builder = NULL;
	size_t j = 0, count = names ? names->count : 0;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		const char *name = names_at(names, i);
		int order = 1;

		while (other && j < other->count &&
		       (order = names_compare(names_at(other, j), name,
			    SIZE_MAX)) < 0)
			j++;
		if (other && j < other->count && order == 0)
			continue;
		if (!builder && !(builder = names_builder_new(err)))
			return -err->code;
		r = names_builder_add(builder, name, err);
	}
	if (r < 0 || !builder)
		return r;
	return names_builder_take(steal(&builder), out, err);
}

int names_differ(const struct names *before, const struct names *now,
    struct names_difference *out, struct err *err)
{
	int r = names_minus(now, before, &out->added, err);

	return r < 0 ? r : names_minus(before, now, &out->gone, err);
}

void names_difference_release(struct names_difference *difference)
{
	names_put(difference->added);
	names_put(difference->gone);
}
