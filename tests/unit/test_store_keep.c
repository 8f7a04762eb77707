/* SPDX-License-Identifier: Apache-2.0 */
/* Small blobs, adopted files, notes, and whose directory it may be. */
#include "base/file.h"
#include "store_fixture.h"

enum { SMALL = 1000 };

static void use_small(struct fixture *f)
{
	content_release(&f->content);
	content_init(&f->content, SMALL, 5);
}

static int load(struct fixture *f, struct buf *out, struct err *err)
{
	return store_load(f->store, &f->content.digest, out, err);
}

static void a_saved_blob_is_loaded(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF struct buf out = BUF_INIT(2 * SMALL);
	struct err err = ERR_INIT;

	use_small(f);
	assert_int_equal(load(f, &out, &err), 0);
	assert_int_equal(store_save(f->store, &f->content.digest,
			     f->content.bytes, SMALL, &err),
	    0);
	assert_int_equal(store_save(f->store, &f->content.digest,
			     f->content.bytes, SMALL, &err),
	    0);
	assert_int_equal(buf_addstr(&out, "before", &err), 0);
	assert_int_equal(load(f, &out, &err), 1);
	assert_int_equal(out.len, 6 + SMALL);
	assert_memory_equal(out.data, "before", 6);
	assert_memory_equal(out.data + 6, f->content.bytes, SMALL);
}

static void a_damaged_blob_is_not_loaded(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF struct buf out = BUF_INIT(SMALL);
	struct err err = ERR_INIT;
	char path[512];

	use_small(f);
	assert_int_equal(store_save(f->store, &f->content.digest,
			     f->content.bytes, SMALL, &err),
	    0);
	write_file(whole_path(f, path), f->content.bytes + 1, SMALL);
	assert_int_equal(load(f, &out, &err), 0);
	assert_int_equal(out.len, 0);
	assert_string_equal(buf_str(&out), "");
	assert_false(file_exists(path));
}

static void a_blob_past_the_limit_is_not_loaded(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF struct buf out = BUF_INIT(SMALL - 1);
	struct err err = ERR_INIT;
	char path[512];

	use_small(f);
	assert_int_equal(store_save(f->store, &f->content.digest,
			     f->content.bytes, SMALL, &err),
	    0);
	assert_int_equal(load(f, &out, &err), -EFBIG);
	assert_true(file_exists(whole_path(f, path)));
}

static void adopt(struct fixture *f, int fd)
{
	struct err err = ERR_INIT;
	struct blob *blob;

	assert_true(fd >= 0);
	assert_int_equal(file_pwrite(fd, f->content.bytes, BLOB_SIZE, 0, &err),
	    0);
	assert_int_equal(store_adopt(f->store, fd, BLOB_SIZE,
			     &f->content.digest, &err),
	    0);
	/* It is there already: so it may be. */
	assert_int_equal(store_adopt(f->store, fd, BLOB_SIZE,
			     &f->content.digest, &err),
	    0);
	blob = get(f);
	assert_true(blob_verified(blob));
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 0);
	blob_put(blob);
}

static void a_temporary_file_becomes_a_blob(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	AUTO_FD int fd = store_temp(f->store, &err);

	adopt(f, fd);
}

/* As on a file system that cannot name an unnamed file. */
static void a_file_without_a_link_is_copied(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/test-store-adopt-XXXXXX";
	AUTO_FD int fd = mkstemp(path);

	assert_int_equal(unlink(path), 0);
	adopt(f, fd);
}

static void a_note_is_replaced_whole(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF struct buf out = BUF_INIT(64);
	struct err err = ERR_INIT;

	assert_int_equal(store_note(f->store, "kind", "key", &out, &err), 0);
	assert_int_equal(err.code, 0);
	assert_int_equal(store_note_put(f->store, "kind", "key", "a longer one",
			     &err),
	    0);
	assert_int_equal(store_note_put(f->store, "kind", "key", "short", &err),
	    0);
	assert_int_equal(store_note_put(f->store, "kind", "Other-1_2.x", "2",
			     &err),
	    0);
	store_fixture_close(f);
	store_fixture_open(f);
	assert_int_equal(store_note(f->store, "kind", "key", &out, &err), 1);
	assert_string_equal(buf_str(&out), "short");
	assert_int_equal(store_note(f->store, "kind", "Other-1_2.x", &out,
			     &err),
	    1);
	assert_string_equal(buf_str(&out), "short2");
}

static void a_name_leads_nowhere_else(void **state)
{
	static const char *const names[] = {"", ".", "..", "../x", "a/b", "a b",
	    "\xc3\xa4"};
	struct fixture *f = *state;
	AUTO_BUF struct buf out = BUF_INIT(64);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(store_note_put(f->store, "kind", names[i], "x",
				     &err),
		    -EINVAL);
		assert_int_equal(store_note_put(f->store, names[i], "key", "x",
				     &err),
		    -EINVAL);
		assert_int_equal(store_note(f->store, "kind", names[i], &out,
				     &err),
		    -EINVAL);
	}
}

static int open_result(struct fixture *f, struct err *err)
{
	struct store_options options = {f->dir, PLENTY, 1};
	int r = store_open(&options, &f->store, err);

	if (r == 0)
		store_fixture_close(f);
	return r;
}

static void a_directory_that_others_can_change_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(open_result(f, &err), 0);
	assert_int_equal(chmod(f->dir, 0770), 0);
	assert_int_equal(open_result(f, &err), -EPERM);
	assert_non_null(strstr(err.msg, f->dir));
	assert_int_equal(chmod(f->dir, 0702), 0);
	assert_int_equal(open_result(f, &err), -EPERM);
	assert_int_equal(chmod(f->dir, 0700), 0);
	if (chown(f->dir, 12345, 12345) < 0)
		return; /* only root could make it another's */
	assert_int_equal(open_result(f, &err), -EPERM);
	assert_non_null(strstr(err.msg, "another user"));
}

static void a_missing_directory_is_made_for_its_owner_only(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	char top[sizeof(f->dir)];
	struct stat st;

	memcpy(top, f->dir, sizeof(top));
	strncat(f->dir, "/a/b", sizeof(f->dir) - strlen(f->dir) - 1);
	assert_int_equal(open_result(f, &err), 0);
	assert_int_equal(stat(f->dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	memcpy(f->dir, top, sizeof(top));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_saved_blob_is_loaded),
	    STORE_TEST(a_damaged_blob_is_not_loaded),
	    STORE_TEST(a_blob_past_the_limit_is_not_loaded),
	    STORE_TEST(a_temporary_file_becomes_a_blob),
	    STORE_TEST(a_file_without_a_link_is_copied),
	    STORE_TEST(a_note_is_replaced_whole),
	    STORE_TEST(a_name_leads_nowhere_else),
	    CLOSED_TEST(a_directory_that_others_can_change_is_refused),
	    CLOSED_TEST(a_missing_directory_is_made_for_its_owner_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
