/* SPDX-License-Identifier: Apache-2.0 */
/* Who reads in order, and who does not. */
#include "layer_fixture.h"

#include "layers/state.h"
#include "read/ahead.h"

enum { SPANS = 24 };

static struct layer *noise(struct world *world)
{
	AUTO_TARBALL struct tarball tar = {.count = 0};
	struct layer *layer;

	tar_file_of(&tar, "noise", NOISE, 4 * SPANS + 4);
	tar_end(&tar);
	layer =
	    open_layer(&world->shelf, add_remote(world, GZIP_ONE, &tar.bytes));
	assert_true(layer_index_spans(index_of(layer)) >= SPANS);
	return layer;
}

/* Reads all of a span, and means to read no more. */
static uint64_t visit(struct layer *layer, uint32_t number)
{
	const struct layer_span span =
	    span_in(layer_index_known(layer), number);

	return ahead_window(layer, number, &span, span.out + span.out_len);
}

static void walk(struct layer *layer, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++)
		visit(layer, i);
}

static void test_order_shows_itself(void **state)
{
	CLEANUP(layer_put_p) struct layer *layer = noise(*state);

	assert_false(layer_is_walked(layer));
	visit(layer, 0);
	assert_false(layer_is_walked(layer));
	assert_int_equal(layer->ahead_until, 0);
	visit(layer, 1);
	assert_true(layer_is_walked(layer));
	assert_true(layer->ahead_until > 1);
}

/* Wherever it is. */
static void test_one_read_is_no_order(void **state)
{
	CLEANUP(layer_put_p) struct layer *layer = noise(*state);

	visit(layer, 2);
	assert_false(layer_is_walked(layer));
	assert_int_equal(layer->ahead_until, 0);
}

/* Nothing is begun twice; one request fetches as much as was read in order. */
static void test_a_walk_goes_on(void **state)
{
	CLEANUP(layer_put_p) struct layer *layer = noise(*state);
	uint32_t before = 0;

	for (uint32_t i = 0; i < SPANS; i++) {
		uint64_t window = visit(layer, i);

		assert_true(layer->ahead_until >= before);
		before = layer->ahead_until;
		assert_true(i < 10 || window >= 8 * SPAN);
	}
}

static void test_a_step_back_is_none_away(void **state)
{
	CLEANUP(layer_put_p) struct layer *layer = noise(*state);
	uint32_t ahead;

	walk(layer, 0, 6);
	ahead = layer->ahead_until;
	visit(layer, 4);
	assert_true(layer_is_walked(layer));
	assert_true(layer->ahead_until >= ahead);
	visit(layer, 6);
	assert_true(layer_is_walked(layer));
}

static void test_elsewhere_is_another_walk(void **state)
{
	CLEANUP(layer_put_p) struct layer *layer = noise(*state);

	walk(layer, 0, 6);
	visit(layer, 18);
	assert_false(layer_is_walked(layer));
	walk(layer, 19, 21);
	assert_true(layer_is_walked(layer));
	visit(layer, 0);
	assert_false(layer_is_walked(layer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_order_shows_itself),
	    WORLD_TEST(test_one_read_is_no_order),
	    WORLD_TEST(test_a_walk_goes_on),
	    WORLD_TEST(test_a_step_back_is_none_away),
	    WORLD_TEST(test_elsewhere_is_another_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
