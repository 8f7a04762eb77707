/* SPDX-License-Identifier: Apache-2.0 */
/* Every cell of the table in upload/state.h, with real files: one is brought
 * into a state by what programs do, and then one more thing is done. */
#include "mount_fixture.h"

#include <errno.h>
#include <fcntl.h>

#include "habits/caller.h"
#include "upload/written.h"

/* A file, and what opened it. */
struct file {
	struct node *dir, *node; /* held */
	struct handle handle;
	struct written_file *written; /* counted */
	pid_t opener;
};

struct world {
	struct mount_fixture f;
	struct node *app; /* held */
	struct buf tar;   /* a root file system, as an archive */
	struct file file;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct caller me = {.pid = getpid()};

	assert_non_null(w);
	caller_set(&me);
	mount_fixture_open(&w->f, 1);
	w->app = fixture_repository(&w->f, 0, "app");
	w->tar = BUF_INIT(1 << 20);
	fixture_rootfs(&w->tar, "hello");
	*state = w;
	return 0;
}

static void close_file(struct file *file)
{
	if (file->handle.node)
		file->node->view->close(&file->handle);
	written_file_put(file->written);
	node_put(file->node);
	node_put(file->dir);
	*file = (struct file){0};
}

static int teardown(void **state)
{
	struct world *w = *state;

	close_file(&w->file);
	node_put(w->app);
	buf_release(&w->tar);
	mount_fixture_close(&w->f);
	free(w);
	return 0;
}

/* --- what programs do --- */

static void create(struct world *w, struct node *dir, const char *name)
{
	struct mount_fixture *f = &w->f;
	struct file *file = &w->file;

	file->dir = node_hold(dir);
	must(dir->view->create(dir, name, 0644, &file->node, &f->err));
	must(file->node->view->open(file->node, O_CREAT | O_WRONLY,
	    &file->handle, &f->err));
	file->handle.node = file->node;
	file->written = written_file_get(written_file_of(file->node));
	file->opener = getpid();
}

static int write_at(struct world *w, const void *data, size_t len, uint64_t off)
{
	w->f.err = (struct err)ERR_INIT;
	return written_file_write(w->file.written, data, len, off, &w->f.err);
}

static int flush_by(struct world *w, pid_t opener)
{
	w->f.err = (struct err)ERR_INIT;
	return written_file_flush(w->file.written, opener, &w->f.err);
}

static int truncate_to(struct world *w, off_t size)
{
	const struct stat attr = {.st_size = size};

	w->f.err = (struct err)ERR_INIT;
	return written_file_setattr(w->file.written, &attr, SETATTR_SIZE,
	    &w->f.err);
}

/* --- the states --- */

static void be_kept(struct world *w)
{
	create(w, w->app, ".1.0.part");
	assert_int_equal(write_at(w, w->tar.data, w->tar.len, 0), 0);
}

/* A config that is opened as it is. */
static void be_found(struct world *w)
{
	struct mount_fixture *f = &w->f;
	CLEANUP(node_put_p) struct node *tag = NULL;
	struct file *file = &w->file;
	CLEANUP(intent_release) struct write_intent intent = {0};

	must(fixture_write(f, w->app, "0.9.tar", w->tar.data, w->tar.len));
	must(w->app->view->lookup(w->app, "0.9", &tag, &f->err));
	must(write_intent(tag, "config.json", &intent, &f->err));
	must(written_file_replacing(tag, "config.json", &intent, &file->written,
	    &f->err));
	must(written_file_start_from_bytes(file->written, "{}\n", 3, &f->err));
	must(written_file_open(file->written, O_RDWR, &f->err));
	file->dir = node_hold(tag);
	file->opener = getpid();
}

static void be_open(struct world *w)
{
	create(w, w->app, "1.0.tar");
	assert_int_equal(write_at(w, w->tar.data, 600, 0), 0);
}

/* A tar without its end marker, which its program left to another one. */
static void be_late(struct world *w)
{
	create(w, w->app, "1.0.tar");
	assert_int_equal(write_at(w, w->tar.data, w->tar.len - 1024, 0), 0);
	assert_int_equal(flush_by(w, 1), 0);
}

static void be_cut(struct world *w)
{
	be_open(w);
	assert_int_equal(flush_by(w, getpid()), -EINVAL);
}

static void be_done(struct world *w)
{
	create(w, w->app, "1.0.tar");
	assert_int_equal(write_at(w, w->tar.data, w->tar.len, 0), 0);
}

static void be_overrun(struct world *w)
{
	be_done(w);
	assert_int_equal(write_at(w, "x", 1, w->tar.len), -EIO);
}

static void be_failed(struct world *w)
{
	struct registry_double *server = w->f.sources[0].server;

	create(w, w->app, "1.0.tar");
	server->refuse_manifests = 403;
	assert_int_equal(write_at(w, w->tar.data, w->tar.len, 0), -EPERM);
	server->refuse_manifests = 0;
}

static void (*const be[FILE_STATES])(struct world *w) = {
    [FILE_KEPT] = be_kept,
    [FILE_FOUND] = be_found,
    [FILE_OPEN] = be_open,
    [FILE_LATE] = be_late,
    [FILE_CUT] = be_cut,
    [FILE_DONE] = be_done,
    [FILE_OVERRUN] = be_overrun,
    [FILE_FAILED] = be_failed,
};

/* --- the events --- */

/* The next bytes of what is being written; zeros behind its end. */
static int on_write(struct world *w)
{
	static const char zeros[512];
	uint64_t size = written_file_size(w->file.written);

	return size < w->tar.len
		   ? write_at(w, w->tar.data + size, 512 - size % 512, size)
		   : write_at(w, zeros, sizeof(zeros), size);
}

static int on_flush(struct world *w)
{
	return flush_by(w, 1);
}

static int on_end(struct world *w)
{
	return flush_by(w, getpid());
}

static int on_close(struct world *w)
{
	if (w->file.handle.node)
		w->file.node->view->close(&w->file.handle);
	else
		written_file_close(w->file.written);
	w->file.handle.node = NULL;
	return 0;
}

static int on_rename(struct world *w)
{
	CLEANUP(renaming_release) struct renaming renaming = {0};
	struct file_action action = {.event = ON_RENAME, .renaming = &renaming};
	struct mount_fixture *f = &w->f;
	int r;

	must(renaming_init(&renaming, w->app, ".other", &f->err));
	must(written_file_begin(w->file.written, &f->err));
	r = written_file_act(w->file.written, &action, &f->err);
	written_file_end(w->file.written);
	return r;
}

static int on_empty(struct world *w)
{
	return truncate_to(w, 0);
}

static int on_resize(struct world *w)
{
	return truncate_to(w, 2);
}

static int (*const on[FILE_EVENTS])(struct world *w) = {
    [ON_WRITE] = on_write,
    [ON_FLUSH] = on_flush,
    [ON_END] = on_end,
    [ON_CLOSE] = on_close,
    [ON_RENAME] = on_rename,
    [ON_EMPTY] = on_empty,
    [ON_RESIZE] = on_resize,
};

/* What is returned, and the state then. A config of two bytes is no config. */
static const struct cell {
	int result;
	enum file_state after;
} cells[FILE_STATES][FILE_EVENTS] = {
    [FILE_KEPT] = {[ON_WRITE] = {0, FILE_KEPT},
	[ON_FLUSH] = {0, FILE_KEPT},
	[ON_END] = {0, FILE_KEPT},
	[ON_CLOSE] = {0, FILE_KEPT},
	[ON_RENAME] = {0, FILE_KEPT},
	[ON_EMPTY] = {0, FILE_KEPT},
	[ON_RESIZE] = {0, FILE_KEPT}},
    [FILE_FOUND] = {[ON_WRITE] = {0, FILE_OPEN},
	[ON_FLUSH] = {0, FILE_FOUND},
	[ON_END] = {0, FILE_FOUND},
	[ON_CLOSE] = {0, FILE_FOUND},
	[ON_RENAME] = {0, FILE_KEPT},
	[ON_EMPTY] = {0, FILE_OPEN},
	[ON_RESIZE] = {0, FILE_OPEN}},
    [FILE_OPEN] = {[ON_WRITE] = {0, FILE_OPEN},
	[ON_FLUSH] = {-EINVAL, FILE_CUT},
	[ON_END] = {-EINVAL, FILE_CUT},
	[ON_CLOSE] = {0, FILE_OPEN},
	[ON_RENAME] = {0, FILE_KEPT},
	[ON_EMPTY] = {0, FILE_OPEN},
	[ON_RESIZE] = {0, FILE_OPEN}},
    [FILE_LATE] = {[ON_WRITE] = {0, FILE_OPEN},
	[ON_FLUSH] = {0, FILE_LATE},
	[ON_END] = {0, FILE_DONE},
	[ON_CLOSE] = {0, FILE_DONE},
	[ON_RENAME] = {0, FILE_KEPT},
	[ON_EMPTY] = {0, FILE_OPEN},
	[ON_RESIZE] = {0, FILE_LATE}},
    [FILE_CUT] = {[ON_WRITE] = {0, FILE_OPEN},
	[ON_FLUSH] = {-EINVAL, FILE_CUT},
	[ON_END] = {-EINVAL, FILE_CUT},
	[ON_CLOSE] = {0, FILE_FAILED},
	[ON_RENAME] = {0, FILE_KEPT},
	[ON_EMPTY] = {0, FILE_OPEN},
	[ON_RESIZE] = {0, FILE_CUT}},
    [FILE_DONE] = {[ON_WRITE] = {0, FILE_DONE},
	[ON_FLUSH] = {0, FILE_DONE},
	[ON_END] = {0, FILE_DONE},
	[ON_CLOSE] = {0, FILE_DONE},
	[ON_RENAME] = {-EBUSY, FILE_DONE},
	[ON_EMPTY] = {0, FILE_OPEN},
	[ON_RESIZE] = {-EPERM, FILE_DONE}},
    [FILE_OVERRUN] = {[ON_WRITE] = {-EIO, FILE_OVERRUN},
	[ON_FLUSH] = {0, FILE_OVERRUN},
	[ON_END] = {0, FILE_OVERRUN},
	[ON_CLOSE] = {0, FILE_OVERRUN},
	[ON_RENAME] = {-EBUSY, FILE_OVERRUN},
	[ON_EMPTY] = {0, FILE_OPEN},
	[ON_RESIZE] = {-EPERM, FILE_OVERRUN}},
    [FILE_FAILED] = {[ON_WRITE] = {-EPERM, FILE_FAILED},
	[ON_FLUSH] = {-EPERM, FILE_FAILED},
	[ON_END] = {-EPERM, FILE_FAILED},
	[ON_CLOSE] = {0, FILE_FAILED},
	[ON_RENAME] = {0, FILE_KEPT},
	[ON_EMPTY] = {0, FILE_OPEN},
	[ON_RESIZE] = {0, FILE_FAILED}},
};

static void check_cell(struct world *w, enum file_state state,
    enum file_event event)
{
	const struct cell *cell = &cells[state][event];
	int r;

	be[state](w);
	if (w->file.written->state != state)
		fail_msg("state %d became %d", state, w->file.written->state);
	r = on[event](w);
	if (r != cell->result || w->file.written->state != cell->after)
		fail_msg("state %d, event %d: %d (%s), then %d", state, event,
		    r, w->f.err.msg, w->file.written->state);
	close_file(&w->file);
}

static void every_cell(void **state)
{
	teardown(state);
	for (int i = 0; i < FILE_STATES; i++) {
		for (int j = 0; j < FILE_EVENTS; j++) {
			setup(state);
			check_cell(*state, (enum file_state)i,
			    (enum file_event)j);
			if (i < FILE_STATES - 1 || j < FILE_EVENTS - 1)
				teardown(state);
		}
	}
}

/* The failure is said again with the same words. */
static void a_failure_has_one_sentence(void **state)
{
	struct world *w = *state;
	char kept[sizeof(w->f.err.msg)];

	be_failed(w);
	assert_true(written_file_error(w->file.written, kept, sizeof(kept)));
	assert_non_null(strstr(kept, "this tag is immutable"));
	assert_int_equal(on_write(w), -EPERM);
	assert_string_equal(w->f.err.msg, kept);
	assert_int_equal(on_end(w), -EPERM);
	assert_string_equal(w->f.err.msg, kept);
}

/* What was said of a cut file is its failure, where nothing more came. */
static void a_cut_file_fails_as_it_was_told(void **state)
{
	struct world *w = *state;
	char said[sizeof(w->f.err.msg)], kept[sizeof(w->f.err.msg)];

	be_cut(w);
	snprintf(said, sizeof(said), "%s", w->f.err.msg);
	assert_false(written_file_error(w->file.written, kept, sizeof(kept)));
	on_close(w);
	assert_true(written_file_error(w->file.written, kept, sizeof(kept)));
	assert_string_equal(kept, said);
	assert_true(fixture_listed(&w->f, w->app, ".1.0.failed") != 0);
	assert_int_equal(fixture_listed(&w->f, w->app, "1.0.tar"), 0);
}

/* In an image's directory the content says what the name does not. */
static void what_is_kept_may_be_an_archive(void **state)
{
	struct world *w = *state;
	struct mount_fixture *f = &w->f;
	CLEANUP(node_put_p) struct node *tag = NULL;

	must(fixture_write(f, w->app, "0.9.tar", w->tar.data, w->tar.len));
	must(w->app->view->lookup(w->app, "0.9", &tag, &f->err));
	create(w, tag, "other");
	assert_int_equal(write_at(w, w->tar.data, w->tar.len, 0), 0);
	assert_int_equal(w->file.written->state, FILE_KEPT);
	assert_int_equal(on_end(w), 0);
	assert_int_equal(w->file.written->state, FILE_DONE);
}

/* A rename that pushes, and is refused: the file is what it was. */
static void a_rename_that_fails_changes_nothing(void **state)
{
	struct world *w = *state;
	struct mount_fixture *f = &w->f;
	struct registry_double *server = f->sources[0].server;
	char kept[sizeof(f->err.msg)];

	be_kept(w);
	server->refuse_manifests = 403;
	assert_int_equal(written_file_rename(w->app, ".1.0.part", w->app,
			     "1.0.tar", 0, &f->err),
	    -EPERM);
	assert_int_equal(w->file.written->state, FILE_KEPT);
	assert_true(written_file_error(w->file.written, kept, sizeof(kept)));
	assert_true(fixture_listed(f, w->app, ".1.0.part") != 0);
	assert_true(fixture_listed(f, w->app, ".1.0.failed") != 0);
	server->refuse_manifests = 0;
	f->err = (struct err)ERR_INIT;
	assert_int_equal(written_file_rename(w->app, ".1.0.part", w->app,
			     "1.0.tar", 0, &f->err),
	    1);
	assert_int_equal(w->file.written->state, FILE_DONE);
	assert_int_equal(fixture_listed(f, w->app, ".1.0.part"), 0);
	assert_int_equal(fixture_listed(f, w->app, ".1.0.failed"), 0);
}

#define STATES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STATES_TEST(every_cell),
	    STATES_TEST(a_failure_has_one_sentence),
	    STATES_TEST(a_cut_file_fails_as_it_was_told),
	    STATES_TEST(what_is_kept_may_be_an_archive),
	    STATES_TEST(a_rename_that_fails_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
