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

bool meaning_names_open(const struct meaning *dir)
{
	return dir->open && dir->naming == 0;
}

static size_t naming_parts(const struct meaning *dir)
{
	return dir->naming ? dir->naming : dir->count;
}

/* Adds a layer's part of a directory: 1 where no layer below has a say in it.
 * What an opaque directory hides is what is in the others: where it has no
 * entry of its own they say what it is. */
static int add_dir(struct meaning *dir, uint32_t layer, uint32_t number,
    const struct layer_entry *entry, struct err *err)
{
	int r = add_part(dir, layer, number, err);

	dir->is_dir = true;
	dir->described |= !(entry->flags & LAYER_IMPLIED);
	if (entry->flags & LAYER_OPAQUE && dir->naming == 0)
		dir->naming = dir->count;
	return r < 0 ? r : dir->naming > 0 && dir->described;
}

int stack_root(const struct layer_index *const *layers, size_t lowest,
    size_t count, struct meaning *out, struct err *err)
{
	int r = 0;

	*out = (struct meaning){.is_dir = true, .open = lowest > 0};
	for (size_t i = count; r == 0 && i-- > lowest;) {
		struct layer_entry entry;

		r = layer_index_entry(layers[i], LAYER_ROOT, &entry, err);
		if (r == 0)
			r = add_dir(out, (uint32_t)i, LAYER_ROOT, &entry, err);
		if (r == 1)
			out->open = false;
	}
	return r < 0 ? r : 0;
}

/* 1, or 0. */
static int is_whited_out(const struct layer_index *index, uint32_t dir,
    const char *name, size_t len, struct err *err)
{
	char text[WHITEOUT_NAME_SIZE];
	uint32_t found;

	if (len + WHITEOUT_LEN >= sizeof(text))
		return 0;
	snprintf(text, sizeof(text), "%s%.*s", whiteout, (int)len, name);
	return layer_index_find(index, dir, text, len + WHITEOUT_LEN, &found,
	    err);
}

/* A character device 0/0, as overlayfs has them in upper directories. */
static bool is_overlay_whiteout(const struct layer_entry *entry)
{
	return S_ISCHR(entry->mode) && entry->data == 0;
}

/* What one layer has under the name. 1 where it hides what is below. */
static int look(const struct layer_index *index, const struct part *dir,
    const char *name, size_t len, struct meaning *out, struct err *err)
{
	struct layer_entry entry;
	uint32_t found;
	int r = layer_index_find(index, dir->entry, name, len, &found, err);

	if (r == 0)
		return is_whited_out(index, dir->entry, name, len, err);
	if (r > 0)
		r = layer_index_entry(index, found, &entry, err);
	if (r < 0)
		return r;
	if (!S_ISDIR(entry.mode)) {
		if (out->count > 0 || is_overlay_whiteout(&entry))
			return 1; /* it is under a directory, or nothing */
		r = add_part(out, dir->layer, found, err);
		return r < 0 ? r : 1;
	}
	r = add_dir(out, dir->layer, found, &entry, err);
	if (r != 0)
		return r;
	return is_whited_out(index, dir->entry, name, len, err);
}

int stack_child(const struct layer_index *const *layers,
    const struct meaning *dir, const char *name, size_t len,
    struct meaning *out, struct err *err)
{
	*out = (struct meaning){.open = meaning_names_open(dir)};
	/* What stands for something else is nothing itself. */
	if (len >= WHITEOUT_LEN && stack_is_whiteout(name)) {
		out->open = false;
		return 0;
	}
	for (size_t i = 0; i < naming_parts(dir); i++) {
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

void candidates_release(struct candidates *candidates)
{
	free(candidates->list);
	arena_release(&candidates->names);
	*candidates = (struct candidates){0};
}

static int reserve(struct candidates *out, uint32_t more, struct err *err)
{
	struct candidate *list =
	    reallocarray(out->list, out->count + more + 1, sizeof(*list));

	if (!list)
		return err_nomem(err);
	out->list = list;
	return 0;
}

static int add_names(const struct layer_index *index, const struct part *part,
    struct candidates *out, struct err *err)
{
	struct layer_entry dir;
	int r = layer_index_entry(index, part->entry, &dir, err);

	if (r == 0)
		r = reserve(out, dir.child_count, err);
	for (uint32_t i = 0; r == 0 && i < dir.child_count; i++) {
		struct candidate *next = &out->list[out->count];
		char name[LAYER_NAME_SIZE];

		next->part.layer = part->layer;
		r = layer_index_child(index, &dir, i, &next->part.entry, name,
		    err);
		if (r < 0 || stack_is_whiteout(name))
			continue;
		next->name = arena_strdup(&out->names, name);
		if (!next->name)
			return err_nomem(err);
		out->count++;
	}
	return r;
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
    const struct meaning *dir, struct candidates *out, struct err *err)
{
	int r = reserve(out, 0, err);

	for (size_t i = 0; r == 0 && i < naming_parts(dir); i++)
		r = add_names(layers[dir->parts[i].layer], &dir->parts[i], out,
		    err);
	if (r < 0)
		return r;
	qsort(out->list, out->count, sizeof(*out->list), by_name);
	out->count = drop_repeated(out->list, out->count);
	return 0;
}

int meaning_attributes(const struct layer_index *const *layers,
    const struct meaning *meaning, struct part *part, struct layer_entry *entry,
    struct err *err)
{
	for (size_t i = 0; i < meaning->count; i++) {
		int r;

		*part = meaning->parts[i];
		r = layer_index_entry(layers[part->layer], part->entry, entry,
		    err);
		if (r < 0 || !(entry->flags & LAYER_IMPLIED))
			return r;
	}
	*part = meaning->parts[0];
	return layer_index_entry(layers[part->layer], part->entry, entry, err);
}
