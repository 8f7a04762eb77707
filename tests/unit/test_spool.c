/* SPDX-License-Identifier: Apache-2.0 */
/* Spools: gaps, what changes again, and sizes that are set. */
#include "push_fixture.h"

static void write_text(struct fixture *f, const char *text, uint64_t off)
{
	must(spool_write(f->spool, text, strlen(text), off, &f->err));
}

static void assert_text(struct fixture *f, uint64_t off, const char *text)
{
	char data[64] = "";
	ssize_t n = spool_read(f->spool, data, strlen(text), off, &f->err);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(data, text, strlen(text));
}

static void in_order(void **state)
{
	struct fixture *f = *state;

	must(spool_new(f->store, &f->spool, &f->err));
	assert_int_equal(spool_size(f->spool), 0);
	assert_int_equal(spool_prefix(f->spool), 0);
	write_text(f, "abc", 0);
	write_text(f, "", 100);
	write_text(f, "def", 3);
	assert_int_equal(spool_size(f->spool), 6);
	assert_int_equal(spool_prefix(f->spool), 6);
	assert_int_equal(spool_generation(f->spool), 0);
	assert_text(f, 1, "bcde");
}

static void gaps_are_not_there(void **state)
{
	struct fixture *f = *state;

	must(spool_new(f->store, &f->spool, &f->err));
	write_text(f, "ghi", 6);
	write_text(f, "mno", 12);
	assert_int_equal(spool_prefix(f->spool), 0);
	assert_int_equal(spool_size(f->spool), 15);
	write_text(f, "abc", 0);
	assert_int_equal(spool_prefix(f->spool), 3);
	write_text(f, "defg", 3);
	assert_int_equal(spool_prefix(f->spool), 9);
	write_text(f, "jkl", 9);
	assert_int_equal(spool_prefix(f->spool), 15);
	assert_int_equal(spool_generation(f->spool), 0);
	assert_text(f, 0, "abcdefghijklmno");
}

static void one_write_over_several_pieces(void **state)
{
	struct fixture *f = *state;

	must(spool_new(f->store, &f->spool, &f->err));
	for (unsigned i = 1; i < 10; i++)
		write_text(f, "x", 2 * i);
	write_text(f, "0123456789", 1);
	assert_int_equal(spool_prefix(f->spool), 0);
	write_text(f, "a", 0);
	assert_int_equal(spool_prefix(f->spool), 11);
	write_text(f, "z", 11);
	assert_int_equal(spool_prefix(f->spool), 13);
}

static void what_changes_again_is_counted(void **state)
{
	struct fixture *f = *state;

	must(spool_new(f->store, &f->spool, &f->err));
	write_text(f, "abc", 0);
	write_text(f, "xyz", 10);
	write_text(f, "XYZ", 10); /* nobody can have read it */
	assert_int_equal(spool_generation(f->spool), 0);
	write_text(f, "C", 2);
	assert_int_equal(spool_generation(f->spool), 1);
	assert_text(f, 0, "abC");
	must(spool_truncate(f->spool, 10, &f->err));
	assert_int_equal(spool_generation(f->spool), 1);
	assert_int_equal(spool_prefix(f->spool), 3);
	must(spool_truncate(f->spool, 2, &f->err));
	assert_int_equal(spool_generation(f->spool), 2);
	assert_int_equal(spool_prefix(f->spool), 2);
	assert_int_equal(spool_size(f->spool), 2);
	must(spool_truncate(f->spool, 2, &f->err));
	assert_int_equal(spool_generation(f->spool), 2);
}

static void a_size_that_is_set_first(void **state)
{
	struct fixture *f = *state;

	must(spool_new(f->store, &f->spool, &f->err));
	must(spool_truncate(f->spool, 6, &f->err));
	assert_int_equal(spool_size(f->spool), 6);
	assert_int_equal(spool_prefix(f->spool), 0);
	write_text(f, "abc", 0);
	assert_int_equal(spool_prefix(f->spool), 3);
	write_text(f, "def", 3);
	assert_int_equal(spool_prefix(f->spool), 6);
	assert_int_equal(spool_generation(f->spool), 0);
}

static void holes_are_zeros_at_the_end(void **state)
{
	struct fixture *f = *state;
	char data[6];

	must(spool_new(f->store, &f->spool, &f->err));
	must(spool_fill(f->spool, &f->err));
	assert_int_equal(spool_prefix(f->spool), 0);
	write_text(f, "a", 0);
	write_text(f, "b", 3);
	must(spool_truncate(f->spool, 6, &f->err));
	must(spool_fill(f->spool, &f->err));
	assert_int_equal(spool_prefix(f->spool), 6);
	assert_int_equal(spool_read(f->spool, data, 6, 0, &f->err), 6);
	assert_memory_equal(data, "a\0\0b\0\0", 6);
	assert_int_equal(spool_generation(f->spool), 0);
	write_text(f, "c", 1);
	assert_int_equal(spool_generation(f->spool), 1);
}

static void too_many_pieces(void **state)
{
	struct fixture *f = *state;
	uint64_t off = 0;
	int r = 0;

	must(spool_new(f->store, &f->spool, &f->err));
	while (r == 0 && off < 1 << 20) {
		off += 2;
		r = spool_write(f->spool, "x", 1, off, &f->err);
	}
	assert_int_equal(r, -EFBIG);
	assert_int_equal(off, 2 * ((1 << 16) + 1));
}

static void too_far(void **state)
{
	struct fixture *f = *state;
	char c;

	must(spool_new(f->store, &f->spool, &f->err));
	assert_fails(spool_write(f->spool, "x", 1, UINT64_MAX, &f->err), EFBIG,
	    "larger than a file can be");
	assert_fails(spool_truncate(f->spool, UINT64_MAX, &f->err), EFBIG,
	    "larger than a file can be");
	assert_int_equal(spool_read(f->spool, &c, 1, UINT64_MAX, &f->err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PUSH_TEST(in_order),
	    PUSH_TEST(gaps_are_not_there),
	    PUSH_TEST(one_write_over_several_pieces),
	    PUSH_TEST(what_changes_again_is_counted),
	    PUSH_TEST(a_size_that_is_set_first),
	    PUSH_TEST(holes_are_zeros_at_the_end),
	    PUSH_TEST(too_many_pieces),
	    PUSH_TEST(too_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
