/* SPDX-License-Identifier: Apache-2.0 */
/* A blob whose verified file the disk does not keep after all. */
#include "store_fixture.h"

#include "blob/entry.h"

/* The fixture's blob, which is whole in a file without a name. */
static struct entry *open_whole(struct fixture *f)
{
	struct entry *entry = NULL;
	struct err err = ERR_INIT;
	struct openfile *file;

	assert_int_equal(entry_find(f->store, &f->content.digest,
			     f->content.size, &entry, &err),
	    0);
	file = openfile_new(open(f->dir, O_TMPFILE | O_RDWR, 0600), &err);
	assert_non_null(file);
	entry_switch(entry, file);
	turn_take(&entry->fetch, 0);
	entry_complete(entry, NULL);
	assert_true(entry->whole);
	return entry;
}

static void a_blob_that_was_not_kept_is_fetched_again(void **state)
{
	struct entry *entry = open_whole(*state);

	entry_lost(entry, entry->file);
	assert_false(entry->whole);
	assert_true(atomic_load(&entry->unkeepable));
	entry_put(entry);
}

/* A block of it was damaged, and a reader waits for the fetch. */
static void a_fetch_that_began_meanwhile_goes_on(void **state)
{
	struct entry *entry = open_whole(*state);
	struct err why = ERR_INIT;

	err_set(&why, EBADMSG, "it is damaged");
	entry_drop(entry, entry->file, &why);
	turn_take(&entry->fetch, 0);
	entry_lost(entry, entry->file);
	assert_true(entry->fetch.taken);
	entry_fail(entry, NULL);
	entry_put(entry);
}

static void a_file_that_is_the_blobs_no_more_says_nothing(void **state)
{
	struct entry *entry = open_whole(*state);
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct openfile *before = openfile_get(entry->file);

	entry_switch(entry,
	    openfile_new(open(f->dir, O_TMPFILE | O_RDWR, 0600), &err));
	entry_lost(entry, before);
	assert_true(entry->whole);
	openfile_put(before);
	entry_put(entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_blob_that_was_not_kept_is_fetched_again),
	    STORE_TEST(a_fetch_that_began_meanwhile_goes_on),
	    STORE_TEST(a_file_that_is_the_blobs_no_more_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
