/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of what refers to images, kept for a while. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/strf.h"
#include "listing.h"
#include "referrers_state.h"

/* One image's list, as it was last. */
struct referrers_kept {
	struct cached cached;
	struct referrers *list; /* NULL before it is loaded */
	unsigned changes;       /* that were made here: its version */
};

struct referrers_state *referrers_state_new(struct err *err)
{
	struct referrers_state *state = calloc(1, sizeof(*state));

	if (state)
		monitor_init(&state->monitor);
	else
		err_nomem(err);
	return state;
}

static void kept_free(void *arg)
{
	struct referrers_kept *kept = arg;

	referrers_put(kept->list);
	free(kept);
}

void referrers_state_free(struct referrers_state *state)
{
	if (!state)
		return;
	map_foreach (&state->kept, slot)
		kept_free(slot->value);
	map_release(&state->kept);
	monitor_release(&state->monitor);
	free(state);
}

static char *kept_key(const char *repository, const struct digest *subject)
{
	char text[DIGEST_TEXT_SIZE];

	return strf("%s@%s", repository, digest_format(subject, text));
}

static bool is_fresh(const struct referrers_kept *kept, int64_t now,
    unsigned ttl)
{
	return kept->list && cached_is_young(&kept->cached, now, ttl);
}

static bool is_kept(void *value, int64_t now, unsigned ttl)
{
	const struct referrers_kept *kept = value;

	return cached_is_in_use(&kept->cached) || is_fresh(kept, now, ttl);
}

/* What is kept under the key, made if there is nothing. In the monitor. */
static struct referrers_kept *find(struct referrers_state *state,
    const char *key)
{
	struct referrers_kept *kept = map_get(&state->kept, key);

	if (kept)
		return kept;
	kept = calloc(1, sizeof(*kept));
	if (kept && map_put(&state->kept, key, kept) < 0) {
		free(kept);
		return NULL;
	}
	return kept;
}

/* In the monitor. */
static int begin(struct referrers_state *state, const char *key, unsigned ttl,
    struct referrers **out, struct referrers_kept **loading, struct err *err)
{
	struct referrers_kept *kept;
	int r;

	map_drop_old(&state->kept, LISTINGS_MANY, is_kept, kept_free,
	    clock_seconds(), ttl);
	kept = find(state, key);
	if (!kept)
		return err_nomem(err);
	kept->cached.users++;
	r = turn_wait(&kept->cached.turn, &state->monitor, err);
	kept->cached.users--;
	if (r < 0)
		return r;
	if (is_fresh(kept, clock_seconds(), ttl)) {
		*out = referrers_get(kept->list);
		return 1;
	}
	turn_take(&kept->cached.turn, kept->changes);
	*loading = kept;
	return 0;
}

int referrers_kept_begin(struct referrers_state *state, const char *repository,
    const struct digest *subject, unsigned ttl, struct referrers **out,
    struct referrers_kept **loading, struct err *err)
{
	AUTO_FREE char *key = kept_key(repository, subject);
	int r;

	if (!key)
		return err_nomem(err);
	monitor_enter(&state->monitor);
	r = begin(state, key, ttl, out, loading, err);
	monitor_leave(&state->monitor);
	return r;
}

void referrers_kept_end(struct referrers_state *state,
    struct referrers_kept *kept, struct referrers *list)
{
	monitor_enter(&state->monitor);
	if (list) {
		referrers_put(kept->list);
		kept->list = referrers_get(list);
		cached_loaded(&kept->cached, kept->changes);
	}
	/* If it failed, the next one tries again. */
	turn_end(&kept->cached.turn, &state->monitor, NULL);
	monitor_leave(&state->monitor);
}

void referrers_kept_changed(struct referrers_state *state,
    const char *repository, const struct digest *subject)
{
	AUTO_FREE char *key = kept_key(repository, subject);
	struct referrers_kept *kept;

	if (!key)
		return; /* what is kept ends by itself soon */
	monitor_enter(&state->monitor);
	kept = map_get(&state->kept, key);
	if (kept) {
		kept->changes++;
		kept->cached.loaded = CACHED_STALE;
	}
	monitor_leave(&state->monitor);
}
