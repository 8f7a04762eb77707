/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes and what the registry has, lends and refuses. */
#include <pthread.h>

#include "base/strf.h"
#include "base/task.h"
#include "push_fixture.h"

static unsigned uploads_of(struct fixture *f, const char *repository,
    const char *tag)
{
	unsigned before = f->server->uploads;

	assert_pushed(push_archive(f, repository, tag));
	return f->server->uploads - before;
}

/* As after a new start, with nothing in the store. */
static void forget_everything(struct fixture *f)
{
	AUTO_FREE char *dir = strf("%s/store", f->dir);

	close_push(f);
	images_free(f->images);
	images_shared_free(f->shared);
	store_close(f->store);
	remove_tree(dir);
	open_images(f);
}

static void layers_that_are_there_are_not_sent(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(3, 1);

	make_docker(f, &layers, true);
	assert_int_equal(uploads_of(f, "app", "1.0"), 4);
	assert_int_equal(uploads_of(f, "app", "2.0"), 0);
	assert_image(f, "app", "2.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void nobody_is_asked_for_what_is_noted(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(3, 1);
	unsigned requests;

	make_docker(f, &layers, true);
	assert_int_equal(uploads_of(f, "app", "1.0"), 4);
	requests = server_requests(f->server->server);
	assert_int_equal(uploads_of(f, "app", "2.0"), 0);
	/* A HEAD for each layer and for the config, and the manifest. */
	assert_int_equal(server_requests(f->server->server) - requests, 5);
}

static void with_the_store_lost(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);

	make_docker(f, &layers, true);
	assert_int_equal(uploads_of(f, "app", "1.0"), 3);
	forget_everything(f);
	assert_int_equal(uploads_of(f, "app", "2.0"), 0);
	assert_image(f, "app", "2.0", &layers, MEDIA_DOCKER_MANIFEST);
}

/* Compressed by another program: only the image tells that they are there. */
static void layers_of_another_compressor(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);

	pack_layer(f, &layers.list[0]);
	pack_layer(f, &layers.list[1]);
	make_docker(f, &layers, true);
	assert_int_equal(uploads_of(f, "app", "1.0"), 3);
	buf_reset(&layers.list[0].packed);
	buf_reset(&layers.list[1].packed);
	forget_everything(f);
	make_docker(f, &layers, true);
	assert_int_equal(uploads_of(f, "app", "2.0"), 0);
	assert_image(f, "app", "2.0", &layers, MEDIA_DOCKER_MANIFEST);
	forget_everything(f);
	make_docker(f, &layers, false);
	assert_int_equal(uploads_of(f, "app", "3.0"), 0);
	assert_image(f, "app", "3.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void layers_of_another_repository(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(3, 1);

	pack_layer(f, &layers.list[1]);
	make_docker(f, &layers, true);
	assert_int_equal(uploads_of(f, "app", "1.0"), 4);
	/* The config is sent. */
	assert_int_equal(uploads_of(f, "team/app", "1.0"), 1);
	assert_int_equal(f->server->mounts, 3);
	assert_image(f, "team/app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void a_mount_that_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);

	make_docker(f, &layers, true);
	assert_int_equal(uploads_of(f, "app", "1.0"), 3);
	f->server->refuse_mounts = 405;
	assert_int_equal(uploads_of(f, "team/app", "1.0"), 3);
	assert_int_equal(f->server->mounts, 0);
	assert_image(f, "team/app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void blobs_that_are_gone(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);

	make_docker(f, &layers, true);
	assert_int_equal(uploads_of(f, "app", "1.0"), 3);
	registry_double_lose_blobs(f->server);
	assert_int_equal(uploads_of(f, "app", "1.0"), 3);
	registry_double_lose_blobs(f->server);
	assert_int_equal(uploads_of(f, "team/app", "1.0"), 3);
	assert_int_equal(f->server->mounts, 0);
	assert_image(f, "team/app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void the_same_layer_twice(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);

	/* Shares the first's memory. */
	layers.list[1] = layers.list[0];
	layers.count = 2;
	make_docker(f, &layers, true);
	layers.count = 1;
	assert_pushed(push_archive(f, "app", "1.0"));
	layers.count = 2;
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
	layers.count = 1;
}

static void what_was_pushed_is_kept(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	CLEANUP(image_put_p) struct image *image = NULL;
	const struct config *config = NULL;
	struct digest digest;
	unsigned requests;

	make_docker(f, &layers, true);
	assert_pushed(push_archive(f, "app", "1.0"));
	requests = server_requests(f->server->server);
	must(images_resolve(f->images, "app", "1.0", &digest, &f->err));
	must(image_open(f->images, "app", &digest, &image, &f->err));
	must(image_config(image, &config, &f->err));
	assert_int_equal(config->diff_id_count, 2);
	for (size_t i = 0; i < 2; i++) {
		AUTO_BUF struct buf blob = BUF_INIT(ARCHIVE_MAX);

		assert_int_equal(store_load(f->store,
				     &image->manifest->entries[i].digest, &blob,
				     &f->err),
		    1);
	}
	assert_int_equal(server_requests(f->server->server), requests);
}

static void a_manifest_that_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);

	make_docker(f, &layers, true);
	f->server->refuse_manifests = 403;
	assert_fails(push_archive(f, "app", "1.0"), EPERM,
	    "this tag is immutable");
	assert_memory_equal(f->err.msg, "pushing app:1.0: ", 17);
	assert_false(push_may_go_on(f->push));
	assert_null(registry_double_manifest(f->server, "app", "1.0"));
	/* The layers need not be compressed again, nor sent. */
	f->server->refuse_manifests = 0;
	assert_int_equal(uploads_of(f, "app", "1.0"), 0);
}

static void a_blob_that_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);

	make_docker(f, &layers, true);
	f->server->refuse_uploads = 403;
	assert_fails(push_archive(f, "app", "1.0"), EACCES, "no more blobs");
	assert_non_null(strstr(f->err.msg, "pushing app:1.0: layer "));
	assert_false(push_may_go_on(f->push));
	assert_int_equal(f->server->manifest_puts, 0);
}

struct interrupted {
	struct fixture *f;
	struct task task;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool began;
	int result;
};

static void *push_in_task(void *arg)
{
	struct interrupted *i = arg;

	task_begin(&i->task);
	pthread_mutex_lock(&i->lock);
	i->began = true;
	pthread_cond_signal(&i->changed);
	pthread_mutex_unlock(&i->lock);
	i->result = push_archive(i->f, "app", "1.0");
	return NULL;
}

static void interrupt(struct interrupted *i)
{
	pthread_t thread;

	pthread_create(&thread, NULL, push_in_task, i);
	pthread_mutex_lock(&i->lock);
	while (!i->began)
		pthread_cond_wait(&i->changed, &i->lock);
	pthread_mutex_unlock(&i->lock);
	registry_double_await_held(i->f->server, 1);
	task_interrupt(&i->task);
	pthread_join(thread, NULL);
}

static void an_interrupt(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(3, 1);
	struct interrupted interrupted = {.f = f,
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER};

	make_docker(f, &layers, true);
	registry_double_hold(f->server, true);
	interrupt(&interrupted);
	assert_fails(interrupted.result, EINTR, "pushing app:1.0: ");
	assert_false(push_may_go_on(f->push));
	registry_double_hold(f->server, false);
	assert_int_equal(f->server->manifest_puts, 0);
	assert_pushed(push_archive(f, "app", "1.0"));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void given_up_while_it_is_sent(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);

	make_docker(f, &layers, true);
	registry_double_hold(f->server, true);
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, f->archive.len - 1024), 0);
	registry_double_await_held(f->server, 1);
	close_push(f);
	registry_double_hold(f->server, false);
	assert_int_equal(f->server->manifest_puts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PUSH_TEST(layers_that_are_there_are_not_sent),
	    PUSH_TEST(nobody_is_asked_for_what_is_noted),
	    PUSH_TEST(with_the_store_lost),
	    PUSH_TEST(layers_of_another_compressor),
	    PUSH_TEST(layers_of_another_repository),
	    PUSH_TEST(a_mount_that_is_refused),
	    PUSH_TEST(blobs_that_are_gone),
	    PUSH_TEST(the_same_layer_twice),
	    PUSH_TEST(what_was_pushed_is_kept),
	    PUSH_TEST(a_manifest_that_is_refused),
	    PUSH_TEST(a_blob_that_is_refused),
	    PUSH_TEST(an_interrupt),
	    PUSH_TEST(given_up_while_it_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
