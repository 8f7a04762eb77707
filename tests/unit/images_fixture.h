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
	struct images_shared *shared;
	struct images *images;
	struct scratch dir;
};

/* tag_ttl: in seconds; at 0 nothing is believed for longer than a call. */
void images_fixture_open(struct images_fixture *f, server_answer *answer,
    void *arg, unsigned tag_ttl);

void images_fixture_close(struct images_fixture *f);

#endif
