/* SPDX-License-Identifier: Apache-2.0 */
#include "images_fixture.h"

void images_fixture_open(struct images_fixture *f, server_answer *answer,
    void *arg, unsigned tag_ttl)
{
	struct images_options options = {.platform = platform_host(),
	    .tag_ttl = tag_ttl,
	    .epoch = EPOCH_NONE};
	struct store_options store = {NULL, 1 << 20, 2};
	struct err err = ERR_INIT;

	registry_fixture_open(&f->registry, answer, arg, NULL);
	assert_int_equal(scratch_make(&f->dir), 0);
	store.dir = f->dir.path;
	assert_int_equal(store_open(&store, &f->store, &err), 0);
	assert_int_equal(registry_source(steal(&f->registry.registry),
			     &f->source, &err),
	    0);
	f->shared = images_shared_new(f->store, &err);
	assert_non_null(f->shared);
	assert_int_equal(images_new(f->source, f->shared, &options, &f->images,
			     &err),
	    0);
}

void images_fixture_close(struct images_fixture *f)
{
	images_free(f->images);
	images_shared_free(f->shared);
	store_close(f->store);
	source_close(f->source);
	registry_fixture_close(&f->registry);
	scratch_remove(&f->dir);
}
