/* SPDX-License-Identifier: Apache-2.0 */
/* Making indexes: once, of what is right, and for somebody. */
#include "layer_fixture.h"

#include "build/pass.h"

/* What awaiting the index comes to. */
static int result_of(struct layer *layer, struct err *err)
{
	const struct layer_index *index = NULL;
	int r = await_index(layer, &index, err);

	assert_true(r < 0 || index);
	assert_true(r == 0 || r == -err->code);
	return r;
}

static void test_opening_fetches_nothing(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_layer(&world->shelf, remote);
	CLEANUP(layer_put_p)
	struct layer *again = open_layer(&world->shelf, remote);

	assert_ptr_equal(layer, again);
	assert_null(layer_index_known(layer));
	assert_int_equal(remote_calls(remote), 0);
	assert_true(digest_equal(layer_digest(layer), &remote->content.digest));
	index_of(layer);
	assert_non_null(layer_index_known(again));
}

/* Who can make two tables that look alike in a few digits does not get one
 * read by the index of the other. */
static void test_keys(void **state)
{
	enum { TABLES = 3 };
	static const struct annotation tables[TABLES] = {
	    {"containerd.io/snapshot/stargz/toc.digest",
		"sha256:0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef"},
	    {"containerd.io/snapshot/stargz/toc.digest",
		"sha256:0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdee"},
	    {"other", "annotation"},
	};
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	struct layer *layers[TABLES];

	for (int i = 0; i < TABLES; i++)
		layers[i] =
		    open_annotated(&world->shelf, remote, &tables[i], 1);
	for (int i = 0; i < TABLES; i++)
		assert_string_not_equal(layer_key(layers[i]),
		    layer_key(layers[(i + 1) % TABLES]));
	for (int i = 0; i < TABLES; i++)
		layer_put(layers[i]);
}

struct waiter {
	pthread_t thread;
	struct task task;
	pthread_barrier_t met;
	struct layer *layer;
	int result;
	struct err err;
};

static void *wait_for_index(void *arg)
{
	struct waiter *waiter = arg;

	task_begin(&waiter->task);
	pthread_barrier_wait(&waiter->met);
	waiter->result = result_of(waiter->layer, &waiter->err);
	pthread_barrier_wait(&waiter->met);
	task_end(&waiter->task);
	return NULL;
}

static void waiter_start(struct waiter *waiter, struct layer *layer)
{
	memset(waiter, 0, sizeof(*waiter));
	waiter->layer = layer;
	pthread_barrier_init(&waiter->met, NULL, 2);
	pthread_create(&waiter->thread, NULL, wait_for_index, waiter);
	pthread_barrier_wait(&waiter->met);
}

static int waiter_end(struct waiter *waiter)
{
	pthread_barrier_wait(&waiter->met);
	pthread_join(waiter->thread, NULL);
	pthread_barrier_destroy(&waiter->met);
	return waiter->result;
}

enum { WAITERS = 8 };

static void test_many_wait(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_layer(&world->shelf, remote);
	struct waiter waiters[WAITERS];

	origin_open_gate(&remote->origin, 1000);
	for (int i = 0; i < WAITERS; i++)
		waiter_start(&waiters[i], layer);
	origin_open_gate(&remote->origin, SIZE_MAX);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(waiter_end(&waiters[i]), 0);
	assert_int_equal(remote_calls(remote), 1);
	assert_files(layer, &world->tar);
}

/* As two mounts have it that share a cache. */
static void test_two_stores(void **state)
{
	struct world *world = *state;
	struct shelf other = shelf_open(world->dir);
	struct remote *remotes[2];
	struct layer *layers[2];
	struct waiter waiters[WAITERS];

	for (int i = 0; i < 2; i++) {
		remotes[i] = add_remote(world, GZIP_ONE, &world->tar.bytes);
		layers[i] = open_layer(i ? &other : &world->shelf, remotes[i]);
	}
	for (int i = 0; i < WAITERS; i++)
		waiter_start(&waiters[i], layers[i % 2]);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(waiter_end(&waiters[i]), 0);
	assert_int_equal(remote_calls(remotes[0]) + remote_calls(remotes[1]),
	    1);
	assert_files(layers[0], &world->tar);
	assert_files(layers[1], &world->tar);
	layer_put(layers[0]);
	layer_put(layers[1]);
	shelf_close(&other);
}

static void test_interrupted(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_layer(&world->shelf, remote);
	struct waiter waiters[2];

	origin_open_gate(&remote->origin, 1000);
	waiter_start(&waiters[0], layer);
	waiter_start(&waiters[1], layer);
	origin_await_calls(&remote->origin, 1);
	task_interrupt(&waiters[0].task);
	assert_int_equal(waiter_end(&waiters[0]), -EINTR);
	origin_open_gate(&remote->origin, SIZE_MAX);
	assert_int_equal(waiter_end(&waiters[1]), 0);
	assert_int_equal(remote_calls(remote), 1);
}

/* Lets bytes come until the source was told to stop, which is before half of
 * them were there. */
static void trickle(struct remote *remote)
{
	const struct timespec moment = {0, 2000000};
	size_t gate = remote->content.size / 4;

	while (gate < remote->content.size / 2) {
		unsigned returned;

		pthread_mutex_lock(&remote->origin.lock);
		returned = remote->origin.returned;
		pthread_mutex_unlock(&remote->origin.lock);
		if (returned > 0)
			return;
		gate += PIECE / 4;
		origin_open_gate(&remote->origin, gate);
		nanosleep(&moment, NULL);
	}
	fail_msg("the fetch goes on for nobody");
}

static void test_nobody_waits(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_layer(&world->shelf, remote);
	struct err err = ERR_INIT;

	origin_open_gate(&remote->origin, 1000);
	assert_int_equal(layer_want(layer, &err), 0);
	origin_await_calls(&remote->origin, 1);
	layer_unwant(layer);
	trickle(remote);
	assert_null(layer_index_known(layer));
	/* Who comes now does not get that for an error, and what came before
	 * does not come again. */
	origin_open_gate(&remote->origin, SIZE_MAX);
	assert_int_equal(result_of(layer, &err), 0);
	assert_in_range(remote->origin.offsets[1], 1, remote->content.size / 2);
	/* But for the piece that was turned back. */
	assert_in_range(remote_sent(remote), remote->content.size,
	    remote->content.size + PIECE);
}

static void test_source_fails(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, ZSTD_MANY, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_layer(&world->shelf, remote);
	struct waiter waiters[WAITERS];
	struct err err = ERR_INIT;

	remote->origin.failing = 1000000;
	remote->origin.failure = ETIMEDOUT;
	for (int i = 0; i < WAITERS; i++)
		waiter_start(&waiters[i], layer);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(waiter_end(&waiters[i]), -ETIMEDOUT);
	assert_non_null(strstr(waiters[0].err.msg, "the origin is away"));
	remote->origin.failing = 0;
	assert_int_equal(result_of(layer, &err), 0);
}

/* One repository may be closed to us, and another not. */
static void test_other_source(void **state)
{
	static const int refusals[] = {ENOENT, EACCES, EPERM};
	struct world *world = *state;

	for (size_t i = 0; i < 3; i++) {
		AUTO_TARBALL struct tarball tar = {.count = 0};
		struct remote *closed, *open;
		struct layer *layer, *again;

		tar_file(&tar, "f", &refusals[i], sizeof(int));
		tar_end(&tar);
		closed = add_remote(world, PLAIN, &tar.bytes);
		open = add_remote(world, PLAIN, &tar.bytes);
		closed->origin.failing = 1000000;
		closed->origin.failure = refusals[i];
		layer = open_layer(&world->shelf, closed);
		again = open_layer(&world->shelf, open);
		assert_ptr_equal(layer, again);
		index_of(layer);
		assert_int_equal(remote_calls(closed), 1);
		assert_int_equal(remote_calls(open), 1);
		layer_put(layer);
		layer_put(again);
	}
}

static const char *index_path(const struct world *world, struct layer *layer,
    char path[512])
{
	snprintf(path, 512, "%s/derived/%s", world->dir, layer_key(layer));
	return path;
}

/* As a run that was killed, or a disk, would leave it. */
static void damage_file(const char *path, bool cut)
{
	int fd = open(path, O_RDWR);
	off_t half = lseek(fd, 0, SEEK_END) / 2;

	assert_true(half > 0);
	if (cut)
		assert_int_equal(ftruncate(fd, half), 0);
	else
		assert_int_equal(pwrite(fd, "damaged", 7, half), 7);
	close(fd);
}

static void test_kept(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	struct layer *layer = open_layer(&world->shelf, remote);
	char path[512];

	index_of(layer);
	index_path(world, layer, path);
	layer_put(layer);
	reopen(world);
	layer = open_layer(&world->shelf, remote);
	assert_non_null(layer_index_known(layer));
	layer_put(layer);
	for (int cut = 0; cut < 2; cut++) {
		reopen(world);
		damage_file(path, cut);
		layer = open_layer(&world->shelf, remote);
		assert_null(layer_index_known(layer));
		assert_false(exists(path));
		index_of(layer);
		assert_true(exists(path));
		assert_files(layer, &world->tar);
		layer_put(layer);
	}
	assert_int_equal(remote_calls(remote), 1);
}

static void test_prefetch(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	struct layer *layer = open_layer(&world->shelf, remote);

	layer_prefetch(layer);
	origin_await_returns(&remote->origin, 1);
	assert_int_equal(remote_sent(remote), remote->content.size);
	layer_put(layer);
	reopen(world);
	layer = open_layer(&world->shelf, remote);
	index_of(layer);
	assert_files(layer, &world->tar);
	assert_int_equal(remote_calls(remote), 1);
	layer_put(layer);
}

/* Another process is at it, and does not end when we do. */
static void test_closing_while_locked(void **state)
{
	struct world *world = *state;
	struct shelf other = shelf_open(world->dir);
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	struct layer *layer = open_layer(&other, remote);
	struct err err = ERR_INIT;
	AUTO_FD int lock =
	    store_derived_lock(world->shelf.store, layer_key(layer), &err);

	assert_true(lock >= 0);
	assert_int_equal(layer_want(layer, &err), 0);
	layer_unwant(layer);
	layer_put(layer);
	shelf_close(&other);
	assert_int_equal(remote_calls(remote), 0);
}

static bool wanted_until(void *arg, uint64_t done)
{
	const uint64_t *until = arg;

	return done < *until;
}

static void test_pass_is_given_up(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, PLAIN, &world->tar.bytes);
	CLEANUP(blob_put_p)
	struct blob *blob =
	    get_from(world->shelf.store, &remote->content, &remote->origin);
	CLEANUP(builder_free_p) struct builder *builder = NULL;
	uint64_t until = remote->content.size / 2;
	const struct pass_job job = {world->shelf.store, blob,
	    &remote->content.digest, wanted_until, &until};
	struct layer_facts facts;
	struct err err = ERR_INIT;

	for (int whole_stream = 0; whole_stream < 2; whole_stream++) {
		builder_free(steal(&builder));
		assert_int_equal(builder_new("/tmp", &builder, &err), 0);
		assert_int_equal(pass_run(&job, whole_stream, builder, &facts,
				     &err),
		    -ECANCELED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_opening_fetches_nothing),
	    WORLD_TEST(test_keys),
	    WORLD_TEST(test_many_wait),
	    WORLD_TEST(test_two_stores),
	    WORLD_TEST(test_interrupted),
	    WORLD_TEST(test_nobody_waits),
	    WORLD_TEST(test_source_fails),
	    WORLD_TEST(test_other_source),
	    WORLD_TEST(test_kept),
	    WORLD_TEST(test_prefetch),
	    WORLD_TEST(test_pass_is_given_up),
	    WORLD_TEST(test_closing_while_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
