/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repositories that were entered at a source which does not list them, in this
 * mount or in one before with the same cache: a note has them, a line each.
 */
#include <string.h>

#include "images_state.h"
#include "oci/reference.h"

#define NOTE_KIND "repositories"

enum {
	REMEMBERED_MAX = 1000, /* names */
	NOTE_MAX = REMEMBERED_MAX * (REPOSITORY_MAX + 1),
	KEY_SIZE = 256,
};

/* The source's name as the key of a note: "localhost_5000". */
static const char *note_key(const struct images *images, char out[KEY_SIZE])
{
	const char *name = source_name(images->source);
	size_t i = 0;

	for (; name[i] && i + 1 < KEY_SIZE; i++)
		out[i] = strchr("[]:/", name[i]) ? '_' : name[i];
	out[i] = '\0';
	return out;
}

static bool is_for(const struct images *images)
{
	return !source_can(images->source, SOURCE_LISTS) &&
	       !source_can(images->source, SOURCE_LOCAL);
}

/* Inside the monitor. */
static void add(struct images *images, const char *repository)
{
	struct map *names = &images->remembered.names;

	if (map_get(names, repository) || names->count >= REMEMBERED_MAX)
		return;
	if (map_put(names, repository, images) == 0)
		images->remembered.is_news = true;
}

/* Adds what the note has, but for what was forgotten here. Inside the monitor.
 */
static void add_lines(struct images *images, char *text)
{
	char *cursor = text, *line;

	while ((line = strsep(&cursor, "\n")))
		if (strlen(line) <= REPOSITORY_MAX && repository_valid(line) &&
		    !map_get(&images->remembered.forgotten, line))
			add(images, line);
}

static void read_note(struct images *images)
{
	AUTO_BUF struct buf text = BUF_INIT(NOTE_MAX);
	char key[KEY_SIZE];

	if (store_note(images->shared->store, NOTE_KIND, note_key(images, key),
		&text, ERR_IGNORE) != 1)
		return;
	monitor_enter(&images->monitor);
	if (text.len)
		add_lines(images, text.data);
	monitor_leave(&images->monitor);
}

void remembered_read(struct images *images)
{
	bool was_read;

	if (!is_for(images))
		return;
	monitor_enter(&images->monitor);
	was_read = images->remembered.was_read;
	images->remembered.was_read = true;
	monitor_leave(&images->monitor);
	if (was_read)
		return;
	read_note(images);
	monitor_enter(&images->monitor);
	images->remembered.is_news = false;
	monitor_leave(&images->monitor);
}

void remembered_add(struct images *images, const char *repository)
{
	if (!images->unlisted || !is_for(images))
		return;
	map_del(&images->remembered.forgotten, repository);
	add(images, repository);
}

void remembered_forget(struct images *images, const char *repository)
{
	if (!map_del(&images->remembered.names, repository))
		return;
	map_put(&images->remembered.forgotten, repository, images);
	images->remembered.is_news = true;
	images->catalog.cached.loaded = CACHED_STALE;
}

/* Inside the monitor. */
static int print(struct images *images, struct buf *out)
{
	int r = 0;

	map_foreach (&images->remembered.names, slot)
		if (r == 0)
			r = buf_addf(out, ERR_IGNORE, "%s\n", slot->key);
	return r;
}

void remembered_save(struct images *images)
{
	AUTO_BUF struct buf text = BUF_INIT(NOTE_MAX);
	char key[KEY_SIZE];
	bool is_news;
	int r = 0;

	monitor_enter(&images->monitor);
	is_news = images->remembered.is_news;
	images->remembered.is_news = false;
	monitor_leave(&images->monitor);
	if (!is_news)
		return;
	/* Another mount may have added to it. */
	read_note(images);
	monitor_enter(&images->monitor);
	images->remembered.is_news = false;
	r = print(images, &text);
	monitor_leave(&images->monitor);
	if (r == 0)
		store_note_put(images->shared->store, NOTE_KIND,
		    note_key(images, key), buf_str(&text), ERR_IGNORE);
}
