/* SPDX-License-Identifier: Apache-2.0 */
/* Names in layers on top of each other, of which some are not known. */
#include "stack_fixture.h"

#include <stdio.h>

#include "tree/stack.h"

/* "kind layers": f, d, - for nothing; '?' where what is below has a say; the
 * number of each layer that takes part, the highest first; those behind '|' add
 * no names. */
static const char *find_from(const struct stack *stack, size_t lowest,
    const char *path, char text[64])
{
	CLEANUP(meaning_release) struct meaning meaning = {0};
	struct err err = ERR_INIT;
	int len;

	assert_int_equal(stack_find(stack->layers, lowest, stack->count, path,
			     &meaning, &err),
	    0);
	len = snprintf(text, 64, "%c%s",
	    meaning.count == 0 ? '-'
	    : meaning.is_dir   ? 'd'
			       : 'f',
	    meaning.open ? "?" : "");
	for (size_t i = 0; i < meaning.count; i++)
		len += snprintf(text + len, 64 - (size_t)len, "%s %u",
		    i > 0 && i == meaning.naming ? " |" : "",
		    meaning.parts[i].layer);
	return text;
}

#define assert_found(stack, lowest, path, want) \
	do { \
		char text_[64]; \
		assert_string_equal(find_from(stack, lowest, path, text_), \
		    want); \
	} while (0)

static void test_files(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "a b d/low d/both");
	push(&stack, "b c d/high d/both");
	assert_found(&stack, 0, "a", "f 0");
	assert_found(&stack, 0, "b", "f 1");
	assert_found(&stack, 0, "c", "f 1");
	assert_found(&stack, 0, "d", "d 1 0");
	assert_found(&stack, 0, "d/low", "f 0");
	assert_found(&stack, 0, "d/high", "f 1");
	assert_found(&stack, 0, "d/both", "f 1");
	assert_found(&stack, 0, "", "d 1 0");
	assert_found(&stack, 0, "/d//low/", "f 0");
	assert_found(&stack, 0, "x", "-");
	assert_found(&stack, 0, "a/x", "-");
	assert_found(&stack, 0, "x/y", "-");
}

static void test_whiteouts(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "a d/x d/y e/f g/h");
	push(&stack, ".wh.a d/.wh.x .wh.e .wh.g g/new");
	push(&stack, "d/z");
	assert_found(&stack, 0, "a", "-");
	assert_found(&stack, 0, "d", "d 2 1 0");
	assert_found(&stack, 0, "d/x", "-");
	assert_found(&stack, 0, "d/y", "f 0");
	assert_found(&stack, 0, "e", "-");
	assert_found(&stack, 0, "e/f", "-");
	/* A whiteout of its own layer's directory is for what is below. */
	assert_found(&stack, 0, "g", "d 1");
	assert_found(&stack, 0, "g/h", "-");
	assert_found(&stack, 0, "g/new", "f 1");
	/* Marks are no files. */
	assert_found(&stack, 0, ".wh.a", "-");
	assert_found(&stack, 0, "d/.wh.x", "-");
	/* A whiteout hides what is below it, not what is above. */
	assert_found(&stack, 0, "d/z", "f 2");
}

static void test_opaque(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "d/a d/s/x e");
	push(&stack, "d/.wh..wh..opq d/b d/s/y");
	push(&stack, "d/c");
	assert_found(&stack, 0, "d", "d 2 1 | 0");
	assert_found(&stack, 0, "d/a", "-");
	assert_found(&stack, 0, "d/b", "f 1");
	assert_found(&stack, 0, "d/c", "f 2");
	assert_found(&stack, 0, "d/s", "d 1");
	assert_found(&stack, 0, "d/s/x", "-");
	assert_found(&stack, 0, "d/.wh..wh..opq", "-");
	assert_found(&stack, 0, "e", "f 0");
}

static void test_opaque_root(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "a");
	push(&stack, ".wh..wh..opq b");
	assert_found(&stack, 0, "", "d 1 | 0");
	assert_found(&stack, 0, "a", "-");
	assert_found(&stack, 0, "b", "f 1");
	assert_found(&stack, 1, "a", "-");
	/* Nobody has described it yet. */
	assert_found(&stack, 1, "", "d? 1");
}

static void test_types_change(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "x/in y z/in");
	push(&stack, "x y/in z");
	push(&stack, "z/new");
	assert_found(&stack, 0, "x", "f 1");
	assert_found(&stack, 0, "x/in", "-");
	assert_found(&stack, 0, "y", "d 1");
	assert_found(&stack, 0, "y/in", "f 1");
	/* A file between two directories parts them. */
	assert_found(&stack, 0, "z", "d 2");
	assert_found(&stack, 0, "z/in", "-");
}

/* What the upper layers decide alone. */
static void test_lower_unknown(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "a b");
	push(&stack, "b d/ .wh.gone o/.wh..wh..opq w/ .wh.w f");
	assert_found(&stack, 1, "a", "-?");
	assert_found(&stack, 1, "b", "f 1");
	assert_found(&stack, 1, "b/x", "-");
	assert_found(&stack, 1, "d", "d? 1");
	assert_found(&stack, 1, "d/x", "-?");
	assert_found(&stack, 1, "d/x/y", "-?");
	assert_found(&stack, 1, "gone", "-");
	assert_found(&stack, 1, "gone/x", "-");
	/* What is in it is known, and not what it is. */
	assert_found(&stack, 1, "o", "d? 1");
	assert_found(&stack, 1, "o/x", "-");
	assert_found(&stack, 1, "w", "d 1");
	assert_found(&stack, 1, "w/x", "-");
	assert_found(&stack, 1, ".wh.x", "-");
	assert_found(&stack, 1, "", "d? 1");
	/* None is known. */
	assert_found(&stack, 2, "", "-?");
	assert_found(&stack, 2, "a", "-?");
}

static void test_long_names(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	char low[1024], high[1024], name[256];

	(void)state;
	/* With the mark in front the longest one is as long as can be. */
	memset(name, 'n', 255);
	name[251] = '\0';
	snprintf(low, sizeof(low), "%s d/%s%s", name, name, "nnnn");
	snprintf(high, sizeof(high), ".wh.%s d/x", name);
	push(&stack, low);
	push(&stack, high);
	assert_found(&stack, 0, name, "-");
	snprintf(low, sizeof(low), "d/%s%s", name, "nnnn");
	assert_found(&stack, 0, low, "f 0");
	strncat(low, "n", 2);
	assert_found(&stack, 0, low, "-");
}

static void test_attributes(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	CLEANUP(meaning_release) struct meaning meaning = {0};
	struct err err = ERR_INIT;
	struct layer_entry entry;
	struct part part;

	(void)state;
	push(&stack, "d/:700 e/x");
	push(&stack, "d/:711 e/y");
	push(&stack, "d/x");
	assert_int_equal(stack_find(stack.layers, 0, stack.count, "d", &meaning,
			     &err),
	    0);
	/* Who only needs the directory says nothing of it. */
	assert_int_equal(meaning_attributes(stack.layers, &meaning, &part,
			     &entry, &err),
	    0);
	assert_int_equal(part.layer, 1);
	meaning_release(&meaning);
	assert_int_equal(stack_find(stack.layers, 0, stack.count, "e", &meaning,
			     &err),
	    0);
	assert_int_equal(meaning_attributes(stack.layers, &meaning, &part,
			     &entry, &err),
	    0);
	assert_int_equal(part.layer, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_whiteouts),
	    cmocka_unit_test(test_opaque),
	    cmocka_unit_test(test_opaque_root),
	    cmocka_unit_test(test_types_change),
	    cmocka_unit_test(test_lower_unknown),
	    cmocka_unit_test(test_long_names),
	    cmocka_unit_test(test_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
