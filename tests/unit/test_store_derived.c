/* SPDX-License-Identifier: Apache-2.0 */
/* Files derived from blobs: replaced whole, made once, evicted last. */
#include <dirent.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/task.h"
#include "store_fixture.h"

enum { MAKERS = 8, HOUR = 3600 };

static int temp_of(struct store *store, const char *text)
{
	struct err err = ERR_INIT;
	int fd = store_temp(store, &err);

	assert_true(fd >= 0);
	assert_int_equal(file_pwrite(fd, text, strlen(text), 0, &err), 0);
	return fd;
}

static void put(struct store *store, const char *name, const char *text)
{
	struct err err = ERR_INIT;
	int fd = temp_of(store, text);

	if (store_derived_put(store, fd, name, &err) < 0)
		fail_msg("%s", err.msg);
	close(fd);
}

static int open_derived(struct store *store, const char *name)
{
	struct err err = ERR_INIT;

	return store_derived_open(store, name, &err);
}

/* Closes fd. */
static void assert_content(int fd, const char *want)
{
	char text[64] = "";

	assert_true(fd >= 0);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) >= 0);
	assert_string_equal(text, want);
	close(fd);
}

static void a_file_is_replaced_whole(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	int old;

	assert_int_equal(store_derived_open(f->store, "a.idx", &err), -ENOENT);
	assert_int_equal(err.code, ENOENT);
	put(f->store, "a.idx", "a longer one");
	old = open_derived(f->store, "a.idx");
	put(f->store, "a.idx", "short");
	put(f->store, "b.idx", "another");
	assert_content(old, "a longer one");
	store_fixture_close(f);
	store_fixture_open(f);
	assert_content(open_derived(f->store, "a.idx"), "short");
	store_derived_drop(f->store, "a.idx");
	store_derived_drop(f->store, "a.idx");
	assert_int_equal(open_derived(f->store, "a.idx"), -ENOENT);
	assert_content(open_derived(f->store, "b.idx"), "another");
}

static unsigned files_in(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	unsigned count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += entry->d_type == DT_REG;
	closedir(dir);
	return count;
}

static void nothing_is_left_in_the_spool(void **state)
{
	struct fixture *f = *state;
	char unlinked[] = "/tmp/test-store-derived-XXXXXX", spool[128];
	struct err err = ERR_INIT;
	/* As on a file system that cannot name an unnamed file. */
	AUTO_FD int fd = mkstemp(unlinked);

	snprintf(spool, sizeof(spool), "%s/spool", f->dir);
	put(f->store, "x", "linked");
	assert_int_equal(files_in(spool), 0);
	assert_int_equal(unlink(unlinked), 0);
	assert_int_equal(write(fd, "copied", 6), 6);
	assert_int_equal(store_derived_put(f->store, fd, "x", &err), 0);
	assert_content(open_derived(f->store, "x"), "copied");
	assert_int_equal(files_in(spool), 0);
}

static void a_name_leads_nowhere_else(void **state)
{
	static const char *const names[] = {"", ".", "..", "../x", "a/b",
	    "a b"};
	struct fixture *f = *state;
	AUTO_FD int fd = temp_of(f->store, "x");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(store_derived_open(f->store, names[i], &err),
		    -EINVAL);
		assert_int_equal(store_derived_put(f->store, fd, names[i],
				     &err),
		    -EINVAL);
		assert_int_equal(store_derived_lock(f->store, names[i], &err),
		    -EINVAL);
		store_derived_drop(f->store, names[i]);
	}
}

/* Makes the file if nobody has: 1 if it was this one, or -errno. */
static int make_once(struct store *store, struct err *err)
{
	AUTO_FD int lock = store_derived_lock(store, "once", err);
	AUTO_FD int fd = -1;
	int r;

	if (lock < 0)
		return lock;
	fd = store_derived_open(store, "once", err);
	if (fd != -ENOENT)
		return fd < 0 ? fd : 0;
	fd = store_temp(store, err);
	if (fd < 0)
		return fd;
	r = file_pwrite(fd, "made", 4, 0, err);
	if (r == 0)
		r = store_derived_put(store, fd, "once", err);
	return r < 0 ? r : 1;
}

struct maker {
	pthread_t thread;
	struct store *store;
	int result;
	struct err err;
};

static void *make_in_thread(void *arg)
{
	struct maker *maker = arg;

	maker->result = make_once(maker->store, &maker->err);
	return NULL;
}

static void threads_make_it_once(void **state)
{
	struct fixture *f = *state;
	struct fixture other = *f;
	struct maker makers[MAKERS];
	int made = 0;

	store_fixture_open(&other);
	for (int i = 0; i < MAKERS; i++) {
		makers[i].store = i % 2 ? f->store : other.store;
		makers[i].err = (struct err)ERR_INIT;
		pthread_create(&makers[i].thread, NULL, make_in_thread,
		    &makers[i]);
	}
	for (int i = 0; i < MAKERS; i++) {
		pthread_join(makers[i].thread, NULL);
		if (makers[i].result < 0)
			fail_msg("%s", makers[i].err.msg);
		made += makers[i].result;
	}
	assert_int_equal(made, 1);
	store_fixture_close(&other);
}

static void processes_make_it_once(void **state)
{
	struct fixture *f = *state;
	pid_t pids[MAKERS];
	int status, made = 0;

	for (int i = 0; i < MAKERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			struct err err = ERR_INIT;
			int r;

			store_fixture_open(f);
			r = make_once(f->store, &err);
			store_fixture_close(f);
			_exit(r < 0 ? 99 : r);
		}
	}
	for (int i = 0; i < MAKERS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_in_range(WEXITSTATUS(status), 0, 1);
		made += WEXITSTATUS(status);
	}
	assert_int_equal(made, 1);
	store_fixture_open(f);
	assert_content(open_derived(f->store, "once"), "made");
}

struct waiter {
	struct task task;
	struct store *store;
	pthread_barrier_t met;
	int result;
	struct err err;
};

static void *wait_for_lock(void *arg)
{
	struct waiter *waiter = arg;

	task_begin(&waiter->task);
	pthread_barrier_wait(&waiter->met);
	waiter->result = store_derived_lock(waiter->store, "x", &waiter->err);
	pthread_barrier_wait(&waiter->met);
	task_end(&waiter->task);
	return NULL;
}

static void an_interrupt_ends_the_wait_for_a_lock(void **state)
{
	struct fixture *f = *state;
	struct waiter waiter = {.store = f->store};
	struct err err = ERR_INIT;
	int held = store_derived_lock(f->store, "x", &err), other;
	pthread_t thread;

	assert_true(held >= 0);
	pthread_barrier_init(&waiter.met, NULL, 2);
	pthread_create(&thread, NULL, wait_for_lock, &waiter);
	pthread_barrier_wait(&waiter.met);
	task_interrupt(&waiter.task);
	pthread_barrier_wait(&waiter.met);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&waiter.met);
	assert_int_equal(waiter.result, -EINTR);
	assert_int_equal(waiter.err.code, EINTR);

	/* Other names are free, and this one when it is closed. */
	other = store_derived_lock(f->store, "y", &err);
	assert_true(other >= 0);
	close(other);
	close(held);
	held = store_derived_lock(f->store, "x", &err);
	assert_true(held >= 0);
	close(held);
	/* However many names there were. */
	assert_int_equal(files_in(f->dir), 1);
}

static void make_old(const char *path)
{
	struct timespec times[2];

	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= HOUR;
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void evict_to(const struct fixture *f, uint64_t limit)
{
	struct fixture other = *f;

	store_fixture_open_limited(&other, limit);
	store_fixture_close(&other);
}

static void it_goes_after_all_blobs(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	char blob[512], path[128];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/derived/x", f->dir);
	put(f->store, "x", "worth a pass");
	assert_int_equal(store_save(f->store, &f->content.digest,
			     f->content.bytes, BLOB_SIZE, &err),
	    0);
	make_old(path);
	evict_to(f, BLOB_SIZE);
	assert_false(file_exists(whole_path(f, blob)));
	assert_true(file_exists(path));

	/* To be opened is a use, and while it is open it stays. */
	fd = open_derived(f->store, "x");
	assert_int_equal(stat(path, &st), 0);
	assert_true(time(NULL) - st.st_mtime < HOUR);
	evict_to(f, 0);
	assert_true(file_exists(path));
	assert_content(fd, "worth a pass");
	evict_to(f, 0);
	assert_false(file_exists(path));
}

static void it_counts(void **state)
{
	struct fixture *f = *state;

	put(f->store, "x", "twelve bytes");
	evict_to(f, 13);
	assert_content(open_derived(f->store, "x"), "twelve bytes");
	evict_to(f, 11);
	assert_int_equal(open_derived(f->store, "x"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_file_is_replaced_whole),
	    STORE_TEST(nothing_is_left_in_the_spool),
	    STORE_TEST(a_name_leads_nowhere_else),
	    STORE_TEST(threads_make_it_once),
	    CLOSED_TEST(processes_make_it_once),
	    STORE_TEST(an_interrupt_ends_the_wait_for_a_lock),
	    STORE_TEST(it_goes_after_all_blobs),
	    STORE_TEST(it_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
