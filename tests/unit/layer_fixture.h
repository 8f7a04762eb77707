/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of layers as a registry has them: a table of layers over a store
 * that gets blobs from origins, and a sample of them.
 */
#ifndef TESTS_LAYER_FIXTURE_H
#define TESTS_LAYER_FIXTURE_H

#include "index_read.h"
#include "store_fixture.h"
#include "tarball_fixture.h"

#include "base/file.h"
#include "base/task.h"
#include "layer/layer.h"

enum { SPAN = 1 << 20 }; /* where layers are cut, about */

/* A layer's blob, and who sends it. */
struct remote {
	struct content content;
	struct origin origin;
	unsigned char *wrong; /* what it sends instead, if it does */
};

/* From now on the byte at off is another one; NEVER: all are right. */
void remote_damage(struct remote *remote, long off);

uint64_t remote_sent(struct remote *remote);

unsigned remote_calls(struct remote *remote);

/* A store with a table of layers. */
struct shelf {
	struct store *store;
	struct layer_table *table;
};

struct shelf shelf_open(const char *dir);

void shelf_close(struct shelf *shelf);

struct layer *open_annotated(struct shelf *shelf, struct remote *remote,
    const struct annotation *annotations, size_t count);

struct layer *open_layer(struct shelf *shelf, struct remote *remote);

int await_index(struct layer *layer, const struct layer_index **out,
    struct err *err);

const struct layer_index *index_of(struct layer *layer);

uint32_t entry_of(const struct layer_index *index, const char *path);

/* Reads a piece of a file that is known: 0 where it is as it should be. */
int read_piece(struct layer *layer, const struct file *file, size_t len,
    uint64_t off, struct err *err);

void assert_file(struct layer *layer, const struct file *file);

void assert_files(struct layer *layer, const struct tarball *tar);

const struct file *file_of(const struct tarball *tar, const char *name);

enum { REMOTES_MAX = 256 };

/* A directory, and what is needed until its last user has gone. */
struct world {
	char dir[64];
	struct shelf shelf;
	struct tarball tar; /* the sample */
	struct remote *remotes[REMOTES_MAX];
	size_t count;
};

/* A blob, which lives as long as the world does. */
struct remote *add_blob(struct world *world, const struct buf *blob);

struct remote *add_remote(struct world *world, enum packing packing,
    const struct buf *tar);

int setup_world(void **state);

int teardown_world(void **state);

#define WORLD_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_world, teardown_world)

/* As the next process finds it. */
void reopen(struct world *world);

/* The same where all that was fetched went; what was made of it stays. */
void forget_blobs(struct world *world);

#endif
