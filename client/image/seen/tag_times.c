/* SPDX-License-Identifier: Apache-2.0 */
/* The times of tags. */
#include "tag_times.h"

#include <stdlib.h>

/* As many as move in the life of a mount, and more: some megabytes. */
enum { NOTES_MAX = 1 << 16 };

struct tag_time {
	time_t changed;
};

static void drop_all(struct tag_times *times)
{
	map_foreach (&times->times, slot)
		free(slot->value);
	map_release(&times->times);
	times->times = (struct map)MAP_INIT;
}

void tag_times_note(struct tag_times *times, const char *key)
{
	struct tag_time *note = map_get(&times->times, key);

	if (note) {
		note->changed = time(NULL);
		return;
	}
	if (times->times.count >= NOTES_MAX) {
		drop_all(times);
		tag_times_forget(times);
	}
	note = malloc(sizeof(*note));
	if (note)
		note->changed = time(NULL);
	if (!note || map_put(&times->times, key, note) < 0) {
		free(note);
		tag_times_forget(times);
	}
}

void tag_times_forget(struct tag_times *times)
{
	times->forgotten = time(NULL);
}

time_t tag_times_get(const struct tag_times *times, const char *key)
{
	const struct tag_time *note = map_get(&times->times, key);

	if (note && note->changed > times->forgotten)
		return note->changed;
	return times->forgotten;
}

void tag_times_release(struct tag_times *times)
{
	drop_all(times);
}
