/* SPDX-License-Identifier: Apache-2.0 */
/* What an earlier run left on the disk, right, damaged or unfinished. */
#include <dirent.h>
#include <sys/wait.h>

#include "base/strf.h"
#include "store_fixture.h"

enum { LEFT = 600 * 1024 + 1, SMALL = 1000 };

static void an_unfinished_transfer_is_continued(void **state)
{
	struct fixture *f = *state;
	char path[512];
	struct blob *blob;

	write_partial(f, f->content.bytes, LEFT);
	blob = get(f);
	assert_int_equal(blob_cached(blob), LEFT);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 1);
	assert_int_equal(f->origin.offsets[0], LEFT);
	blob_put(blob);
	store_fixture_close(f);
	assert_true(file_exists(whole_path(f, path)));
}

static void a_blob_that_only_lacks_its_name_needs_no_transfer(void **state)
{
	struct fixture *f = *state;
	struct blob *blob;

	write_partial(f, f->content.bytes, BLOB_SIZE);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_true(blob_verified(blob));
	assert_int_equal(f->origin.calls, 0);
	blob_put(blob);
}

/* Our own disk's fault is no reason to fail who had none of the bytes. */
static void a_damaged_leftover_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct store_stats stats;
	struct blob *blob;

	write_partial(f, f->content.bytes + 1, LEFT);
	blob = get(f);
	assert_int_equal(read_at(blob, BLOB_SIZE - 1, &err), 1);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	assert_int_equal(f->origin.offsets[0], LEFT);
	assert_int_equal(f->origin.offsets[1], 0);
	store_stats(f->store, &stats);
	assert_int_equal(stats.mismatches, 0);
	blob_put(blob);
}

static void who_had_damaged_bytes_is_told(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct blob *blob;

	write_partial(f, f->content.bytes + 1, LEFT);
	origin_open_gate(&f->origin, LEFT);
	blob = get(f);
	assert_int_equal(read_at(blob, 0, &err), 1);
	origin_open_gate(&f->origin, SIZE_MAX);
	assert_int_equal(read_at(blob, BLOB_SIZE - 1, &err), -EBADMSG);
	assert_reads_all(blob, &f->content);
	blob_put(blob);
}

static void a_leftover_that_is_too_long_is_replaced(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE unsigned char *bytes = NULL;
	struct blob *blob;

	bytes = calloc(1, BLOB_SIZE + SUMS_SIZE + 1);
	assert_non_null(bytes);
	memcpy(bytes, f->content.bytes, BLOB_SIZE);
	write_partial(f, bytes, BLOB_SIZE + SUMS_SIZE + 1);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 1);
	assert_int_equal(f->origin.offsets[0], 0);
	blob_put(blob);
}

static void a_file_of_the_wrong_size_is_replaced(void **state)
{
	struct fixture *f = *state;
	char path[512];
	struct blob *blob = get(f);

	assert_reads_all(blob, &f->content);
	blob_put(blob);
	store_fixture_close(f);
	assert_int_equal(truncate(whole_path(f, path), BLOB_SIZE - 1), 0);
	store_fixture_open(f);
	blob = get(f);
	assert_false(file_exists(path));
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	blob_put(blob);
}

static void a_small_file_with_wrong_bytes_is_replaced(void **state)
{
	struct fixture *f = *state;
	char path[512];
	struct blob *blob;

	content_release(&f->content);
	content_init(&f->content, SMALL, 3);
	origin_init(&f->origin, &f->content);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	blob_put(blob);
	store_fixture_close(f);

	/* As a power cut can leave it. */
	assert_int_equal(truncate(whole_path(f, path), 0), 0);
	assert_int_equal(truncate(path, SMALL), 0);
	store_fixture_open(f);
	blob = get(f);
	assert_false(file_exists(path));
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	blob_put(blob);
}

/* A manifest can lie about the size of a blob that another describes right. */
static void a_wrong_size_is_in_nobodys_way(void **state)
{
	struct fixture *f = *state;
	struct content lie = f->content;
	struct err err = ERR_INIT;
	struct blob *right, *wrong;

	lie.size = BLOB_SIZE - 100;
	wrong = get_from(f->store, &lie, &f->origin);
	right = get(f);
	assert_int_equal(read_at(wrong, lie.size - 1, &err), -EBADMSG);
	assert_reads_all(right, &f->content);
	assert_int_equal(read_at(wrong, lie.size - 1, &err), -EBADMSG);
	blob_put(wrong);
	blob_put(right);
}

static void the_directory_may_be_cleared_any_time(void **state)
{
	struct fixture *f = *state;
	char path[512];
	struct blob *blob = get(f);

	assert_reads_all(blob, &f->content);
	blob_put(blob);
	store_fixture_close(f);
	store_fixture_open(f);
	whole_path(f, path);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(remove(path), 0);
		*strrchr(path, '/') = '\0';
	}
	blob = get(f);
	assert_reads_all(blob, &f->content);
	blob_put(blob);
	store_fixture_close(f);
	assert_true(file_exists(whole_path(f, path)));
}

/* How many entries there are in DIR/private. */
static size_t privates(const struct fixture *f)
{
	AUTO_FREE char *path = strf("%s/private", f->dir);
	DIR *dir = opendir(path);
	size_t count = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void leave(const char *dir, const char *name)
{
	AUTO_FREE char *path = strf("%s/%s", dir, name);
	AUTO_FD int fd = open(path, O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
}

static void private_directories_end_with_their_process(void **state)
{
	struct fixture *f = *state;
	CLEANUP(store_private_free_p) struct store_private *kept = NULL;
	struct err err = ERR_INIT;
	int made[2], counted[2];
	pid_t child;
	int status;
	char byte;

	assert_int_equal(store_private_new(f->store, &kept, &err), 0);
	leave(store_private_path(kept), "file");
	assert_int_equal(pipe(made), 0);
	assert_int_equal(pipe(counted), 0);
	child = fork();
	if (child == 0) {
		struct store_private *left = NULL;

		close(counted[1]);
		if (store_private_new(f->store, &left, &err) == 0)
			leave(store_private_path(left), "file");
		close(made[1]);
		/* Until the parent has counted: then it can be removed. */
		status = (int)read(counted[0], &byte, 1);
		_exit(left == NULL || status != 0);
	}
	close(made[1]);
	assert_int_equal(read(made[0], &byte, 1), 0);
	assert_int_equal(privates(f), 2);
	close(made[0]);
	close(counted[0]);
	close(counted[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* Whoever opens the store removes it, before it is closed again. */
	store_fixture_close(f);
	store_fixture_open(f);
	store_fixture_close(f);
	store_fixture_open(f);
	assert_int_equal(privates(f), 1);
	assert_true(file_exists(store_private_path(kept)));
	store_private_free(steal(&kept));
	assert_int_equal(privates(f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(an_unfinished_transfer_is_continued),
	    STORE_TEST(a_blob_that_only_lacks_its_name_needs_no_transfer),
	    STORE_TEST(a_damaged_leftover_is_replaced),
	    STORE_TEST(who_had_damaged_bytes_is_told),
	    STORE_TEST(a_leftover_that_is_too_long_is_replaced),
	    STORE_TEST(a_file_of_the_wrong_size_is_replaced),
	    STORE_TEST(a_small_file_with_wrong_bytes_is_replaced),
	    STORE_TEST(a_wrong_size_is_in_nobodys_way),
	    STORE_TEST(the_directory_may_be_cleared_any_time),
	    STORE_TEST(private_directories_end_with_their_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
