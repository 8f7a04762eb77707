/* SPDX-License-Identifier: Apache-2.0 */
/* Reads index.json, and again when it has changed. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/strf.h"
#include "base/task.h"
#include "oci/layout.h"

enum {
	/* File systems tell changes apart that are so far from each other. */
	SETTLED_MS = 100,
	/* Most tools write a file in its place. Who reads it meanwhile finds a
	 * part of it, and looks again. */
	WRITING_MS = 1000,
	PAUSE_MS = 10,
};

static int64_t since_ms(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - then->tv_sec) * INT64_C(1000) +
	       (now.tv_nsec - then->tv_nsec) / 1000000;
}

char *layout_join(const char *dir, const char *name)
{
	return *dir ? strf("%s/%s", dir, name) : strdup(name);
}

/* Opens a file of the layout in dir. -ENOENT without a sentence. */
static int open_file(struct layout_source *layouts, const char *dir,
    const char *name, struct err *err)
{
	AUTO_FREE char *path = layout_join(dir, name);
	int fd;

	if (!path)
		return err_nomem(err);
	/* What is no file must not make us wait. */
	fd = openat(layouts->root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		return fd;
	if (errno == ENOTDIR)
		errno = ENOENT;
	return err_sys(err, "cannot open %s/%s", layouts->path, path);
}

static int read_file(int fd, const struct stat *st, struct buf *out,
    struct err *err)
{
	ssize_t n;
	int r;

	if (!S_ISREG(st->st_mode))
		return err_set(err, EIO, "not a regular file");
	if ((uint64_t)st->st_size > MANIFEST_MAX_BYTES)
		return err_set(err, EFBIG, "larger than %d bytes",
		    MANIFEST_MAX_BYTES);
	r = buf_reserve(out, (size_t)st->st_size, err);
	if (r < 0)
		return r;
	n = file_pread(fd, out->data, (size_t)st->st_size, 0, err);
	if (n < 0)
		return (int)n;
	out->len = (size_t)n;
	return 0;
}

/* Whether another program can still be at it. */
static bool is_being_written(const struct stat *st)
{
	return since_ms(&st->st_ctim) < WRITING_MS;
}

/* 1 where it may still be written: skopeo writes it with each image. */
static int check_marker(struct layout_source *layouts, const char *dir,
    struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(LAYOUT_MARKER_MAX);
	AUTO_FD int fd = open_file(layouts, dir, LAYOUT_MARKER, err);
	struct err reason = ERR_INIT;
	struct stat st = {0};
	int r;

	if (fd < 0)
		return fd;
	r = fstat(fd, &st) < 0 ? err_sys(&reason, "cannot examine it")
			       : read_file(fd, &st, &text, &reason);
	if (r == 0)
		r = layout_check_marker(text.data, text.len, &reason);
	if (r == 0)
		return 0;
	err_set(err, r == -ENOMEM ? ENOMEM : EIO,
	    "%s/%s%s" LAYOUT_MARKER
	    " does not give the version of an image layout: %s",
	    layouts->path, dir, *dir ? "/" : "", reason.msg);
	return r != -ENOTSUP && is_being_written(&st) ? 1 : -err->code;
}

static int state_read(struct layout_state *state, int fd, struct err *err)
{
	int r;

	if (fstat(fd, &state->st) < 0)
		return err_sys(err, "cannot examine it");
	state->settled = since_ms(&state->st.st_ctim) > SETTLED_MS;
	r = read_file(fd, &state->st, &state->text, err);
	if (r == 0)
		r = manifest_parse(state->text.data, state->text.len,
		    MEDIA_OCI_INDEX, &state->index, err);
	if (r == 0)
		r = layout_index_names(state->index, &state->names, err);
	return r;
}

static struct layout_state *state_new(struct err *err)
{
	struct layout_state *state = calloc(1, sizeof(*state));

	if (!state) {
		err_nomem(err);
		return NULL;
	}
	atomic_init(&state->refs, 1);
	state->text = BUF_INIT(MANIFEST_MAX_BYTES);
	return state;
}

void layout_state_put(struct layout_state *state)
{
	if (!state || atomic_fetch_sub(&state->refs, 1) > 1)
		return;
	if (state->index)
		manifest_free(state->index);
	free(state->names);
	buf_release(&state->text);
	free(state);
}

/* 1 where it may still be written: it is to be looked at again. */
static int state_load(struct layout_source *layouts, const char *dir,
    struct layout_state **out, struct err *err)
{
	CLEANUP(layout_state_put_p) struct layout_state *state = NULL;
	AUTO_FD int fd = open_file(layouts, dir, LAYOUT_INDEX, err);
	struct err reason = ERR_INIT;
	int r = fd < 0 ? fd : check_marker(layouts, dir, err);

	if (r != 0)
		return r;
	state = state_new(err);
	if (!state)
		return -err->code;
	if (state_read(state, fd, &reason) == 0) {
		*out = steal(&state);
		return 0;
	}
	err_set(err, reason.code == ENOMEM ? ENOMEM : EIO,
	    "%s/%s%s" LAYOUT_INDEX " cannot be read: %s", layouts->path, dir,
	    *dir ? "/" : "", reason.msg);
	return is_being_written(&state->st) ? 1 : -err->code;
}

uint64_t layout_patience(const struct layout_source *layouts)
{
	uint64_t all = layouts->timeout * UINT64_C(1000), lost = budget_lost();

	return lost < all ? all - lost : 0;
}

static int kept_writing(const struct layout_source *layouts,
    const struct err *reason, struct err *err)
{
	return err_set(err, reason->code,
	    "%s; programs kept writing it for %u seconds", reason->msg,
	    layouts->timeout);
}

static int state_load_written(struct layout_source *layouts, const char *dir,
    struct layout_state **out, struct err *err)
{
	const struct timespec pause = {0, PAUSE_MS * 1000000};
	const uint64_t begun = budget_clock(),
		       patience = layout_patience(layouts);

	for (;;) {
		struct err reason = ERR_INIT;
		int r = state_load(layouts, dir, out, &reason);

		if (r < 0)
			*err = reason;
		if (r <= 0)
			return r;
		if (task_interrupted())
			return err_set(err, EINTR, "interrupted");
		if (budget_clock() - begun >= patience) {
			budget_lose(budget_clock() - begun);
			return kept_writing(layouts, &reason, err);
		}
		nanosleep(&pause, NULL);
	}
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool layout_state_is_current(const struct layout_source *layouts,
    const char *dir, const struct layout_state *state)
{
	AUTO_FREE char *path = layout_join(dir, LAYOUT_INDEX);
	struct stat st;

	return path && fstatat(layouts->root, path, &st, 0) == 0 &&
	       is_same(&state->st, &st);
}

/* What was read before, if the file is still that one; or NULL. */
static struct layout_state *state_kept(struct layout_source *layouts,
    const char *dir)
{
	AUTO_FREE char *path = layout_join(dir, LAYOUT_INDEX);
	struct layout_state *state;
	struct stat st;

	if (!path || fstatat(layouts->root, path, &st, 0) < 0)
		return NULL;
	SCOPED_LOCK(&layouts->lock);
	state = map_get(&layouts->states, dir);
	if (!state || !state->settled || !is_same(&state->st, &st))
		return NULL;
	atomic_fetch_add(&state->refs, 1);
	return state;
}

static void state_keep(struct layout_source *layouts, const char *dir,
    struct layout_state *state)
{
	struct layout_state *before;

	SCOPED_LOCK(&layouts->lock);
	before = map_get(&layouts->states, dir);
	/* What cannot be kept is read again. */
	if (map_put(&layouts->states, dir, state) < 0)
		return;
	atomic_fetch_add(&state->refs, 1);
	layout_state_put(before);
}

int layout_state_get(struct layout_source *layouts, const char *dir,
    struct layout_state **out, struct err *err)
{
	int r;

	*out = state_kept(layouts, dir);
	if (*out)
		return 0;
	r = state_load_written(layouts, dir, out, err);
	if (r < 0)
		return r;
	state_keep(layouts, dir, *out);
	return 0;
}

bool layout_says_first(struct layout_source *layouts, const char *sentence)
{
	SCOPED_LOCK(&layouts->lock);

	return !map_get(&layouts->said, sentence) &&
	       map_put(&layouts->said, sentence, layouts) == 0;
}

void layout_states_release(struct layout_source *layouts)
{
	map_foreach (&layouts->states, slot)
		layout_state_put(slot->value);
	map_release(&layouts->states);
	map_foreach (&layouts->subjects, slot)
		free(slot->value);
	map_release(&layouts->subjects);
	map_release(&layouts->said);
}

const struct descriptor *layout_state_find(const struct layout_state *state,
    const struct layout_name *name)
{
	for (size_t i = 0; i < state->index->entry_count; i++)
		if (layout_name_equal(&state->names[i], name))
			return &state->index->entries[i];
	return NULL;
}
