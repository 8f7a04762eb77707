/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a registry's images, with a cache, and a server that follows
 * a test's script. */
#ifndef TESTS_UNIT_IMAGES_FIXTURE_H
#define TESTS_UNIT_IMAGES_FIXTURE_H

#include "image/images.h"
#include "registry/source.h"
#include "registry_fixture.h"
#include "scratch.h"

struct images_fixture {
	struct fixture registry;
	struct source *source;
	struct store *store;
	struct images *images;
	struct scratch dir;
};

/* tag_ttl: in seconds; at 0 nothing is believed for longer than a call. */
static inline void images_fixture_open(struct images_fixture *f,
    server_answer *answer, void *arg, unsigned tag_ttl)
{
	struct images_options options = {.platform = platform_host(),
	    .tag_ttl = tag_ttl,
	    .epoch = EPOCH_NONE};
	struct store_options store = {NULL, 1 << 20, 2};
	struct err err = ERR_INIT;

	fixture_open(&f->registry, answer, arg, NULL);
	assert_int_equal(scratch_make(&f->dir), 0);
	store.dir = f->dir.path;
	assert_int_equal(store_open(&store, &f->store, &err), 0);
	assert_int_equal(registry_source(steal(&f->registry.registry),
			     &f->source, &err),
	    0);
	assert_int_equal(images_new(f->source, f->store, &options, &f->images,
			     &err),
	    0);
}

static inline void images_fixture_close(struct images_fixture *f)
{
	images_free(f->images);
	store_close(f->store);
	source_close(f->source);
	fixture_close(&f->registry);
	scratch_remove(&f->dir);
}

#endif
