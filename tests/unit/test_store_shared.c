/* SPDX-License-Identifier: Apache-2.0 */
/* Several stores on one directory, in one process and in two. */
#include <signal.h>
#include <sys/wait.h>

#include "store_fixture.h"

enum { FRONT = 100 * KIB };

static void two_stores_fetch_once(void **state)
{
	struct fixture *f = *state;
	struct fixture other = *f;
	struct err err = ERR_INIT;
	struct origin unused;
	struct blob *here, *there;

	store_fixture_open(&other);
	origin_init(&unused, &f->content);
	here = get(f);
	there = get_from(other.store, &f->content, &unused);
	origin_open_gate(&f->origin, FRONT);
	assert_int_equal(read_at(here, 0, &err), 1);

	/* What arrives for the one can be read by the other. */
	assert_int_equal(read_at(there, FRONT - 1, &err), 1);
	assert_false(blob_verified(there));
	origin_open_gate(&f->origin, SIZE_MAX);
	assert_reads_all(there, &f->content);
	assert_reads_all(here, &f->content);
	assert_int_equal(f->origin.calls, 1);
	assert_int_equal(unused.calls, 0);
	blob_put(here);
	blob_put(there);
	store_fixture_close(&other);
}

static void a_mismatch_there_is_tried_again_here(void **state)
{
	struct fixture *f = *state;
	struct fixture other = *f;
	struct err err = ERR_INIT;
	struct content wrong;
	struct origin right;
	struct blob *here, *there;

	store_fixture_open(&other);
	origin_init(&right, &f->content);
	content_init(&wrong, BLOB_SIZE, 99);
	f->origin.bytes = wrong.bytes;
	here = get(f);
	there = get_from(other.store, &f->content, &right);
	origin_open_gate(&f->origin, FRONT);
	assert_int_equal(read_at(here, 0, &err), 1);
	assert_int_equal(read_at(there, FRONT - 1, &err), 1);
	origin_open_gate(&f->origin, SIZE_MAX);
	assert_int_equal(read_at(here, BLOB_SIZE - 1, &err), -EBADMSG);

	/* It had the front of the wrong one, and is told so. */
	assert_int_equal(read_at(there, BLOB_SIZE - 1, &err), -EBADMSG);
	assert_reads_all(there, &f->content);
	assert_int_equal(right.calls, 1);
	assert_int_equal(right.offsets[0], 0);
	blob_put(here);
	blob_put(there);
	store_fixture_close(&other);
	content_release(&wrong);
}

/*
 * A process that fetches the front of the blob, says so, waits to be told to
 * go on, reads the rest and keeps the blob open until its input ends.
 */
struct process {
	pid_t pid;
	int in, out;
};

static void child_run(struct fixture *f, int in, int out)
{
	struct err err = ERR_INIT;
	struct blob *blob;
	char byte;

	store_fixture_open(f);
	blob = get(f);
	origin_open_gate(&f->origin, FRONT);
	if (read_at(blob, FRONT - 1, &err) != 1 || write(out, "", 1) != 1 ||
	    read(in, &byte, 1) != 1)
		_exit(1);
	origin_open_gate(&f->origin, SIZE_MAX);
	if (read_all(blob, &f->content, &err) < 0 || write(out, "", 1) != 1)
		_exit(2);
	if (read(in, &byte, 1) != 0)
		_exit(3);
	blob_put(blob);
	store_fixture_close(f);
	_exit(0);
}

static void await_child(const struct process *child)
{
	char byte;

	assert_int_equal(read(child->out, &byte, 1), 1);
}

/* Before this process has threads: a fork would not copy them. */
static void child_start(struct process *child, struct fixture *f)
{
	int to[2], from[2];

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	child->pid = fork();
	assert_true(child->pid >= 0);
	if (child->pid == 0) {
		close(to[1]);
		close(from[0]);
		child_run(f, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	child->in = to[1];
	child->out = from[0];
	await_child(child);
}

static void child_go_on(const struct process *child)
{
	assert_int_equal(write(child->in, "", 1), 1);
}

static int child_end(const struct process *child)
{
	int status;

	close(child->in);
	close(child->out);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	return status;
}

static void two_processes_fetch_once(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct process child;
	struct blob *blob;

	child_start(&child, f);
	store_fixture_open(f);
	blob = get(f);
	assert_int_equal(read_at(blob, FRONT - 1, &err), 1);
	child_go_on(&child);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 0);
	blob_put(blob);
	assert_int_equal(child_end(&child), 0);
}

static void a_process_that_dies_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct process child;
	struct blob *blob;

	child_start(&child, f);
	store_fixture_open(f);
	blob = get(f);
	assert_int_equal(read_at(blob, FRONT - 1, &err), 1);
	assert_int_equal(kill(child.pid, SIGKILL), 0);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 1);
	assert_int_equal(f->origin.offsets[0], FRONT);
	blob_put(blob);
	assert_true(WIFSIGNALED(child_end(&child)));
}

static void another_process_keeps_what_it_has_open(void **state)
{
	struct fixture *f = *state;
	struct process child;
	char path[512];

	child_start(&child, f);
	child_go_on(&child);
	await_child(&child);
	store_fixture_open_limited(f, 0);
	store_fixture_close(f);
	/* Whether it had its name already or was still being synced. */
	assert_true(file_exists(whole_path(f, path)) ||
		    file_exists(partial_path(f, path)));
	assert_int_equal(child_end(&child), 0);
	assert_true(file_exists(whole_path(f, path)));
	store_fixture_open_limited(f, 0);
	store_fixture_close(f);
	assert_false(file_exists(path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(two_stores_fetch_once),
	    STORE_TEST(a_mismatch_there_is_tried_again_here),
	    CLOSED_TEST(two_processes_fetch_once),
	    CLOSED_TEST(a_process_that_dies_is_replaced),
	    CLOSED_TEST(another_process_keeps_what_it_has_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
