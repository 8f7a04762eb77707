/* SPDX-License-Identifier: Apache-2.0 */
/* What layers add to those below them, change and remove. */
#include "stack_fixture.h"

#include <errno.h>

#include "layer/changes.h"

/* A word a change: the layer, what it does, the path. '+' adds, '=' changes,
 * '-' removes, '^' removes with its directory, '#' hides. */
static int note(void *arg, const struct layer_change *change, struct err *err)
{
	static const char removals[] = {'-', '^', '#'};
	char mark = change->kind == LAYER_ADDS      ? '+'
		    : change->kind == LAYER_CHANGES ? '='
						    : removals[change->removal];

	assert_int_equal(change->before == NULL, change->kind == LAYER_ADDS);
	assert_int_equal(change->after == NULL, change->kind == LAYER_REMOVES);
	return buf_addf(arg, err, "%s%zu%c%s",
	    ((struct buf *)arg)->len ? " " : "", change->layer, mark,
	    change->path);
}

static void assert_changes(const struct stack *stack, const char *want)
{
	AUTO_BUF struct buf got = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	assert_int_equal(layer_changes(stack->layers, stack->count, note, &got,
			     &err),
	    0);
	assert_string_equal(buf_str(&got), want);
}

static void files_are_added_changed_and_removed(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "a b c d/x");
	push(&stack, "b .wh.c d/y");
	push(&stack, "c .wh.nothing d/.wh.x");
	assert_changes(&stack, "0+a 0+b 1=b 0+c 1-c 2+c 0+d 0+d/x 2-d/x 1+d/y");
}

static void directories_are_removed_with_what_is_in_them(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "d/ d/e/ d/e/x d/y z");
	push(&stack, ".wh.d");
	push(&stack, "d/ d/y");
	assert_changes(&stack,
	    "0+d 1-d 2+d 0+z 0+d/e 1^d/e 0+d/y 1^d/y 2+d/y 0+d/e/x 1^d/e/x");
}

static void a_whiteout_is_for_lower_layers_alone(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "a d/x");
	push(&stack, ".wh.a a .wh.d d/y");
	assert_changes(&stack, "0+a 1=a 0+d 0+d/x 1^d/x 1+d/y");
}

static void an_opaque_directory_hides(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "d/ d/x d/y d/e/z");
	push(&stack, "d/ d/.wh..wh..opq d/y");
	assert_changes(&stack,
	    "0+d 1=d 0+d/e 1#d/e 0+d/x 1#d/x 0+d/y 1=d/y 0+d/e/z 1#d/e/z");
}

static void a_file_hides_a_directory(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "d/ d/x l@d");
	push(&stack, "d");
	push(&stack, "d/ d/y l/ l/z");
	assert_changes(&stack, "0+d 1=d 2=d 0+l 2=l 0+d/x 1#d/x 2+d/y 2+l/z");
}

static void what_aufs_kept_is_nothing(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "a");
	push(&stack, ".wh..wh.plnk/ .wh..wh.orph/ .wh..wh.plnk/1");
	assert_changes(&stack, "0+a");
}

static void directories_that_only_hold_others_change_nothing(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "usr/ usr/bin/ usr/bin/a");
	push(&stack, "usr/bin/b");
	push(&stack, "usr/ usr/bin/ usr/bin/c");
	assert_changes(&stack,
	    "0+usr 2=usr 0+usr/bin 2=usr/bin 0+usr/bin/a 1+usr/bin/b "
	    "2+usr/bin/c");
}

static void no_layers(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	assert_changes(&stack, "");
	push(&stack, "");
	assert_changes(&stack, "");
}

static int add_sizes(void *arg, const struct layer_change *change,
    struct err *err)
{
	uint64_t *sums = arg;

	(void)err;
	sums[0] += change->size_before;
	sums[1] += change->size_after;
	return 0;
}

/* Files of one byte. */
static void a_file_of_two_names_counts_once(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	uint64_t sums[2] = {0, 0};
	struct err err = ERR_INIT;

	(void)state;
	push(&stack, "a b>a s@a d/");
	push(&stack, ".wh.a .wh.b c");
	assert_int_equal(layer_changes(stack.layers, stack.count, add_sizes,
			     sums, &err),
	    0);
	assert_int_equal(sums[0], 1);
	assert_int_equal(sums[1], 2);
}

static int stop(void *arg, const struct layer_change *change, struct err *err)
{
	(void)change;
	++*(unsigned *)arg;
	return err_set(err, EINTR, "enough");
}

static void a_failure_ends_it(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	unsigned told = 0;
	struct err err = ERR_INIT;

	(void)state;
	push(&stack, "a d/x d/e/y");
	assert_int_equal(layer_changes(stack.layers, stack.count, stop, &told,
			     &err),
	    -EINTR);
	assert_int_equal(told, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_are_added_changed_and_removed),
	    cmocka_unit_test(directories_are_removed_with_what_is_in_them),
	    cmocka_unit_test(a_whiteout_is_for_lower_layers_alone),
	    cmocka_unit_test(an_opaque_directory_hides),
	    cmocka_unit_test(a_file_hides_a_directory),
	    cmocka_unit_test(what_aufs_kept_is_nothing),
	    cmocka_unit_test(directories_that_only_hold_others_change_nothing),
	    cmocka_unit_test(no_layers),
	    cmocka_unit_test(a_file_of_two_names_counts_once),
	    cmocka_unit_test(a_failure_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
