/* SPDX-License-Identifier: Apache-2.0 */
/* Looking names up in layers on top of each other. */
#include "stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static const char whiteout[] = ".wh.";

/* image-spec layer.md "Whiteouts"; with the longest name that a file can have.
 */
enum { WHITEOUT_LEN = 4, WHITEOUT_NAME_SIZE = 256 };

void meaning_release(struct meaning *meaning)
{
	free(meaning->parts);
	*meaning = (struct meaning){0};
}

bool stack_is_whiteout(const char *name)
{
	return strncmp(name, whiteout, WHITEOUT_LEN) == 0;
}

static int add_part(struct meaning *meaning, uint32_t layer, uint32_t entry,
    struct err *err)
{
	if (meaning->count == meaning->cap) {
		size_t cap = meaning->cap ? 2 * meaning->cap : 4;
		struct part *parts =
		    reallocarray(meaning->parts, cap, sizeof(*parts));

		if (!parts)
			return err_nomem(err);
		meaning->parts = parts;
		meaning->cap = cap;
	}
	meaning->parts[meaning->count++] = (struct part){layer, entry};
	return 0;
}

/* Whether nothing below the directory's part shows through it. */
static bool is_opaque(const struct layer_index *index, uint32_t entry)
{
	return layer_index_entry(index, entry)->flags & LAYER_OPAQUE;
}

int stack_root(const struct layer_index *const *layers, size_t lowest,
    size_t count, struct meaning *out, struct err *err)
{
	int r = 0;

	*out = (struct meaning){.is_dir = true, .open = lowest > 0};
	for (size_t i = count; r == 0 && i-- > lowest;) {
		r = add_part(out, (uint32_t)i, LAYER_ROOT, err);
		if (is_opaque(layers[i], LAYER_ROOT)) {
			out->open = false;
			break;
		}
	}
	return r;
}

static bool is_whited_out(const struct layer_index *index, uint32_t dir,
    const char *name, size_t len)
{
	char text[WHITEOUT_NAME_SIZE];
	uint32_t found;

	if (len + WHITEOUT_LEN >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%s%.*s", whiteout, (int)len, name);
	return layer_index_find(index, dir, text, len + WHITEOUT_LEN, &found);
}

/* What one layer has under the name. 1 where it hides what is below. */
static int look(const struct layer_index *index, const struct part *dir,
    const char *name, size_t len, struct meaning *out, struct err *err)
{
	const struct layer_entry *entry;
	uint32_t found;
	int r;

	if (!layer_index_find(index, dir->entry, name, len, &found))
		return is_whited_out(index, dir->entry, name, len);
	entry = layer_index_entry(index, found);
	if (!S_ISDIR(entry->mode)) {
		if (out->count > 0)
			return 1; /* it is under a directory */
		r = add_part(out, dir->layer, found, err);
		return r < 0 ? r : 1;
	}
	out->is_dir = true;
	r = add_part(out, dir->layer, found, err);
	if (r < 0)
		return r;
	return is_opaque(index, found) ||
	       is_whited_out(index, dir->entry, name, len);
}

int stack_child(const struct layer_index *const *layers,
    const struct meaning *dir, const char *name, size_t len,
    struct meaning *out, struct err *err)
{
	*out = (struct meaning){.open = dir->open};
	/* What stands for something else is nothing itself. */
	if (len >= WHITEOUT_LEN && stack_is_whiteout(name)) {
		out->open = false;
		return 0;
	}
	for (size_t i = 0; i < dir->count; i++) {
		const struct part *part = &dir->parts[i];
		int r = look(layers[part->layer], part, name, len, out, err);

		if (r < 0)
			return r;
		if (r == 1) {
			out->open = false;
			break;
		}
	}
	return 0;
}

int stack_find(const struct layer_index *const *layers, size_t lowest,
    size_t count, const char *path, struct meaning *out, struct err *err)
{
	int r = stack_root(layers, lowest, count, out, err);

	for (;;) {
		CLEANUP(meaning_release) struct meaning dir = *out;
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (r < 0 || len == 0 || !dir.is_dir) {
			dir.parts = NULL;
			if (len > 0)
				/* Below a file, or nothing, is nothing. */
				out->count = 0;
			return r;
		}
		r = stack_child(layers, &dir, path, len, out, err);
		path += len;
	}
}

static int by_name(const void *one, const void *two)
{
	const struct candidate *a = one, *b = two;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	/* The highest layer first. */
	return a->part.layer < b->part.layer ? 1 : -1;
}

static size_t add_names(const struct layer_index *index,
    const struct part *part, struct candidate *out)
{
	uint32_t children;
	const uint32_t *list =
	    layer_index_children(index, part->entry, &children);
	size_t count = 0;

	for (uint32_t i = 0; i < children; i++) {
		const char *name = layer_index_name(index, list[i]);

		if (!stack_is_whiteout(name))
			out[count++] =
			    (struct candidate){name, {part->layer, list[i]}};
	}
	return count;
}

static size_t drop_repeated(struct candidate *list, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || strcmp(list[kept - 1].name, list[i].name) != 0)
			list[kept++] = list[i];
	}
	return kept;
}

int stack_names(const struct layer_index *const *layers,
    const struct meaning *dir, struct candidate **out, size_t *count,
    struct err *err)
{
	size_t total = 0;

	for (size_t i = 0; i < dir->count; i++)
		total += layer_index_entry(layers[dir->parts[i].layer],
		    dir->parts[i].entry)
			     ->child_count;
	*count = 0;
	*out = calloc(total + 1, sizeof(**out));
	if (!*out)
		return err_nomem(err);
	for (size_t i = 0; i < dir->count; i++)
		*count += add_names(layers[dir->parts[i].layer], &dir->parts[i],
		    *out + *count);
	qsort(*out, *count, sizeof(**out), by_name);
	*count = drop_repeated(*out, *count);
	return 0;
}

struct part meaning_attributes(const struct layer_index *const *layers,
    const struct meaning *meaning)
{
	for (size_t i = 0; i < meaning->count; i++) {
		const struct part *part = &meaning->parts[i];
		const struct layer_entry *entry =
		    layer_index_entry(layers[part->layer], part->entry);

		if (!(entry->flags & LAYER_IMPLIED))
			return *part;
	}
	return meaning->parts[0];
}
