/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that do not match their digest, or are not layers at all. */
#include "layer_fixture.h"

#include <dirent.h>

#include "base/strf.h"

/* How many files are in a directory of the store, and those in it. */
static unsigned count_files(const char *dir, const char *name)
{
	AUTO_FREE char *path = strf("%s/%s", dir, name);
	struct dirent *entry;
	unsigned count = 0;
	DIR *list = opendir(path);

	if (!list)
		return 0;
	while ((entry = readdir(list))) {
		if (*entry->d_name == '.')
			continue;
		count += entry->d_type == DT_DIR
			     ? count_files(path, entry->d_name)
			     : 1;
	}
	closedir(list);
	return count;
}

static int result_of(struct layer *layer, struct err *err)
{
	const struct layer_index *index;
	int r;

	*err = (struct err)ERR_INIT;
	r = await_index(layer, &index, err);
	assert_true(r == 0 || r == -err->code);
	return r;
}

/* What comes of it with that byte wrong. The store is closed behind it, so that
 * nothing is on its way any more. */
static int result_with(struct world *world, struct remote *remote, long wrong,
    struct err *err)
{
	struct layer *layer = open_layer(&world->shelf, remote);
	int r;

	remote_damage(remote, wrong);
	r = result_of(layer, err);
	assert_int_equal(r < 0, layer_index_known(layer) == NULL);
	if (r == 0)
		assert_files(layer, &world->tar);
	layer_put(layer);
	reopen(world);
	return r;
}

/* A wrong byte, where the decoder sees it and where it does not. */
static void test_wrong_bytes(void **state)
{
	struct world *world = *state;

	for (enum packing packing = PLAIN; packing < PACKINGS; packing++) {
		struct remote *remote =
		    add_remote(world, packing, &world->tar.bytes);
		const long size = (long)remote->content.size;
		/* The header's flags or system, a header of the tar, data, the
		 * padding or a checksum. */
		const long offsets[] = {3, 9, 150, size / 3, size / 2,
		    size - 1};
		struct err err = ERR_INIT;

		for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets);
		     i++) {
			if (result_with(world, remote, offsets[i], &err) !=
			    -EBADMSG)
				fail_msg("packing %d, byte %ld: %s", packing,
				    offsets[i], err.msg);
		}
		assert_int_equal(count_files(world->dir, "derived"), packing);
		/* What was kept of it is not in the way. */
		assert_int_equal(result_with(world, remote, NEVER, &err), 0);
	}
}

/* What comes of a blob whose digest is right. */
static int result_of_blob(struct world *world, const struct buf *blob,
    struct err *err)
{
	struct remote *remote = add_blob(world, blob);
	CLEANUP(layer_put_p)
	struct layer *layer = open_layer(&world->shelf, remote);
	int r = result_of(layer, err);

	assert_int_equal(r < 0, layer_index_known(layer) == NULL);
	return r;
}

static void assert_result(struct world *world, const void *data, size_t len,
    int code, const char *says)
{
	AUTO_BUF struct buf blob = BUF_INIT(TAR_MAX);
	struct err err = ERR_INIT;
	int r;

	append(&blob, data, len);
	r = result_of_blob(world, &blob, &err);
	if (r != -code || !strstr(err.msg, says))
		fail_msg("not %s but %d: %s", says, r, err.msg);
}

static void test_no_layer(void **state)
{
	struct world *world = *state;
	AUTO_BUF struct buf noise = BUF_INIT(TAR_MAX);
	AUTO_BUF struct buf packed = BUF_INIT(TAR_MAX);

	sample_make(NOISE, &noise);
	assert_result(world, noise.data, noise.len, EIO, "tar");
	gzip(1, noise.data, noise.len, &packed);
	assert_result(world, packed.data, packed.len, EIO, "tar");
	assert_result(world, "text", 4, EIO, "truncated");
	assert_result(world, "\x1f\x8b", 2, EIO, "");
	assert_result(world, "BZh91AY&SY", 10, EIO, "truncated");
	assert_result(world,
	    "\xfd"
	    "7zXZ\0\0\0",
	    8, EIO, "truncated");
}

static void test_cut_off(void **state)
{
	struct world *world = *state;

	for (enum packing packing = PLAIN; packing < PACKINGS; packing++) {
		AUTO_BUF struct buf blob;
		const size_t cuts[] = {1, 600, 3000};

		pack(packing, &world->tar.bytes, &blob);
		assert_result(world, blob.data, 300, EIO, "");
		/* Of a plain one it is the file's error that is cut. */
		if (packing == PLAIN)
			continue;
		for (size_t i = 0; i < 3; i++)
			assert_result(world, blob.data, blob.len - cuts[i] - 1,
			    EIO, "");
		assert_result(world, blob.data, blob.len / 2, EIO, "");
	}
}

static void test_behind_the_end(void **state)
{
	static const char zeros[5000];
	struct world *world = *state;
	AUTO_TARBALL struct tarball tar = {.count = 0};

	tar_file(&tar, "f", "f", 1);
	tar_end(&tar);
	for (enum packing packing = PLAIN; packing < PACKINGS; packing++) {
		AUTO_BUF struct buf blob;
		struct err err = ERR_INIT;

		pack(packing, &tar.bytes, &blob);
		append(&blob, zeros, sizeof(zeros));
		assert_int_equal(result_of_blob(world, &blob, &err), 0);
		append(&blob, "rubbish", 7);
		/* Behind the end of a tar stands what likes to. */
		assert_int_equal(result_of_blob(world, &blob, &err),
		    packing == PLAIN ? 0 : -EIO);
	}
}

static void test_nothing_in_it(void **state)
{
	static const char zeros[2 * TAR_BLOCK];
	struct world *world = *state;
	AUTO_BUF struct buf nothing = BUF_INIT(TAR_MAX);
	AUTO_BUF struct buf packed = BUF_INIT(TAR_MAX);
	struct err err = ERR_INIT;

	assert_int_equal(result_of_blob(world, &nothing, &err), 0);
	assert_result(world, zeros, sizeof(zeros), 0, "");
	gzip(1, "", 0, &packed);
	assert_int_equal(result_of_blob(world, &packed, &err), 0);
	buf_reset(&packed);
	gzip(1, zeros, sizeof(zeros), &packed);
	assert_int_equal(result_of_blob(world, &packed, &err), 0);
	buf_reset(&packed);
	zstd_frame("", 0, &packed);
	assert_int_equal(result_of_blob(world, &packed, &err), 0);
}

/* A manifest can lie about sizes, too. */
static void test_wrong_size(void **state)
{
	struct world *world = *state;

	for (int more = -1; more <= 1; more += 2) {
		struct remote *remote =
		    add_remote(world, GZIP_ONE, &world->tar.bytes);
		CLEANUP(layer_put_p) struct layer *layer = NULL;
		struct err err = ERR_INIT;

		remote->content.size += (size_t)more;
		layer = open_layer(&world->shelf, remote);
		assert_int_equal(result_of(layer, &err), -EBADMSG);
		remote->content.size -= (size_t)more;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_wrong_bytes),
	    WORLD_TEST(test_no_layer),
	    WORLD_TEST(test_cut_off),
	    WORLD_TEST(test_behind_the_end),
	    WORLD_TEST(test_nothing_in_it),
	    WORLD_TEST(test_wrong_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
