/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes from the writer's side: in which order bytes come, and how it ends. */
#include "push_fixture.h"

static void in_order(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(3, 1);
	struct digest digest;
	const struct stored *manifest;

	make_docker(f, &layers, true);
	begin_push(f, "team/app", "1.0");
	assert_int_equal(write_range(f, 0, f->archive.len - 1), 0);
	assert_null(registry_double_manifest(f->server, "team/app", "1.0"));
	assert_pushed(write_range(f, f->archive.len - 1, f->archive.len));
	assert_image(f, "team/app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
	manifest = registry_double_manifest(f->server, "team/app", "1.0");
	sha256_of(manifest->data, manifest->len, &digest);
	assert_true(digest_equal(&digest, push_digest(f->push)));
	assert_pushed(end_push(f));
	assert_int_equal(f->server->manifest_puts, 1);
	assert_int_equal(f->server->uploads, 4);
}

static void out_of_order(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	size_t half;

	make_docker(f, &layers, false);
	half = f->archive.len / 2;
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, half, f->archive.len), 0);
	assert_int_equal(write_range(f, 1000, half), 0);
	assert_pushed(write_part(f, 0, 1000));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void without_the_bytes_at_hand(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);

	make_docker(f, &layers, true);
	begin_push(f, "app", "1.0");
	must(
	    spool_write(f->spool, f->archive.data, f->archive.len, 0, &f->err));
	assert_pushed(push_advance(f->push, NULL, 0, 0, &f->err));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void bytes_that_change_on_the_way(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	AUTO_LAYERS struct layers others = make_layers(2, 7);

	make_docker(f, &others, true);
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, f->archive.len / 2), 0);
	make_docker(f, &layers, true);
	assert_pushed(write_range(f, 0, f->archive.len));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

/* The header, again and again, and a bit more each time. */
static void changing_all_the_time(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);
	size_t done;

	make_docker(f, &layers, true);
	begin_push(f, "app", "1.0");
	for (done = 0; done < f->archive.len; done += 20000) {
		size_t end = done + 20000;

		if (end > f->archive.len)
			end = f->archive.len;
		assert_int_equal(write_part(f, done, end), 0);
		assert_int_equal(write_part(f, 0, 512), 0);
	}
	assert_pushed(end_push(f));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void written_twice(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);

	make_docker(f, &layers, true);
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, f->archive.len - 1024), 0);
	assert_int_equal(write_range(f, 0, f->archive.len - 1024), 0);
	assert_pushed(write_range(f, f->archive.len - 1024, f->archive.len));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void cut_and_written_again(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);

	make_docker(f, &layers, true);
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, f->archive.len / 2), 0);
	must(spool_truncate(f->spool, 0, &f->err));
	assert_int_equal(end_push(f), 0);
	assert_pushed(write_range(f, 0, f->archive.len));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void zeros_behind_the_end(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);
	size_t end;

	make_docker(f, &layers, true);
	end = f->archive.len;
	add_zeros(&f->archive, 8 * 1024);
	assert_int_equal(end % 512, 0);
	begin_push(f, "app", "1.0");
	assert_pushed(write_range(f, 0, end + 512));
	assert_pushed(write_range(f, end + 512, f->archive.len));
	assert_pushed(end_push(f));
	assert_int_equal(f->server->manifest_puts, 1);
}

static void something_else_behind_the_end(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);
	size_t end;

	make_docker(f, &layers, true);
	end = f->archive.len;
	add_bytes(&f->archive, "x", 1);
	begin_push(f, "app", "1.0");
	assert_pushed(write_range(f, 0, end));
	assert_fails(write_part(f, end, end + 1), EIO, "after its end");
	assert_false(push_may_go_on(f->push));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void with_the_end_in_one_write(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);

	make_docker(f, &layers, true);
	add_bytes(&f->archive, "x", 1);
	assert_fails(push_archive(f, "app", "1.0"), EINVAL, "app:1.0");
	assert_false(push_may_go_on(f->push));
	assert_int_equal(f->server->manifest_puts, 0);
}

static void changed_after_the_push(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);

	make_docker(f, &layers, true);
	assert_pushed(push_archive(f, "app", "1.0"));
	assert_fails(write_part(f, 0, 10), EIO, "after it had been pushed");
	assert_int_equal(f->server->manifest_puts, 1);
}

static void nothing_at_all(void **state)
{
	struct fixture *f = *state;
	unsigned requests = server_requests(f->server->server);

	begin_push(f, "app", "1.0");
	assert_int_equal(end_push(f), 0);
	assert_int_equal(push_advance(f->push, NULL, 0, 0, &f->err), 0);
	assert_int_equal(end_push(f), 0);
	assert_int_equal(server_requests(f->server->server), requests);
}

static void half_of_it_and_then_the_rest(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	size_t half;

	make_docker(f, &layers, true);
	half = f->archive.len / 2;
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, half), 0);
	assert_fails(end_push(f), EINVAL, "pushing app:1.0: ");
	assert_true(push_may_go_on(f->push));
	assert_pushed(write_range(f, half, f->archive.len));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void without_an_end_mark(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);

	make_docker(f, &layers, true);
	f->archive.len -= 1024;
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, f->archive.len), 0);
	assert_int_equal(f->server->manifest_puts, 0);
	assert_pushed(end_push(f));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void with_a_hole_for_an_end_mark(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);

	make_docker(f, &layers, true);
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, f->archive.len - 1024), 0);
	must(spool_truncate(f->spool, f->archive.len, &f->err));
	assert_pushed(end_push(f));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

/* The layer's own end mark. */
static void with_a_hole_in_a_layer(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);
	size_t layer_end;

	make_docker(f, &layers, true);
	layer_end = 512 + layers.list[0].tar.len;
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, layer_end - 1024), 0);
	assert_int_equal(write_range(f, layer_end, f->archive.len), 0);
	assert_pushed(end_push(f));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
	assert_fails(write_part(f, layer_end - 1024, layer_end), EIO,
	    "after it had been pushed");
}

static void a_gap_that_is_filled_after_a_close(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	size_t half;

	make_docker(f, &layers, true);
	half = f->archive.len / 2;
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, half, f->archive.len), 0);
	assert_fails(end_push(f), EINVAL, "app:1.0");
	assert_true(push_may_go_on(f->push));
	assert_pushed(write_range(f, 0, half));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void no_archive(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 1000; i++)
		add_bytes(&f->archive, "not a tar ", 10);
	assert_fails(push_archive(f, "app", "1.0"), EINVAL, "app:1.0");
	assert_false(push_may_go_on(f->push));
}

static void given_up(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(3, 1);

	make_docker(f, &layers, true);
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, f->archive.len - 2000), 0);
	close_push(f);
	assert_int_equal(f->server->manifest_puts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PUSH_TEST(in_order),
	    PUSH_TEST(out_of_order),
	    PUSH_TEST(without_the_bytes_at_hand),
	    PUSH_TEST(bytes_that_change_on_the_way),
	    PUSH_TEST(changing_all_the_time),
	    PUSH_TEST(written_twice),
	    PUSH_TEST(cut_and_written_again),
	    PUSH_TEST(zeros_behind_the_end),
	    PUSH_TEST(something_else_behind_the_end),
	    PUSH_TEST(with_the_end_in_one_write),
	    PUSH_TEST(changed_after_the_push),
	    PUSH_TEST(nothing_at_all),
	    PUSH_TEST(half_of_it_and_then_the_rest),
	    PUSH_TEST(without_an_end_mark),
	    PUSH_TEST(with_a_hole_for_an_end_mark),
	    PUSH_TEST(with_a_hole_in_a_layer),
	    PUSH_TEST(a_gap_that_is_filled_after_a_close),
	    PUSH_TEST(no_archive),
	    PUSH_TEST(given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
