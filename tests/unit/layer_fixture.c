/* SPDX-License-Identifier: Apache-2.0 */
#include "layer_fixture.h"

static void remote_init(struct remote *remote, const struct buf *blob)
{
	struct err err = ERR_INIT;
	struct content *content = &remote->content;

	content->size = blob->len;
	content->bytes = malloc(blob->len + 1);
	assert_non_null(content->bytes);
	memcpy(content->bytes, buf_str(blob), blob->len);
	assert_int_equal(digest_of(DIGEST_SHA256, content->bytes, blob->len,
			     &content->digest, &err),
	    0);
	origin_init(&remote->origin, content);
	remote->wrong = NULL;
}

void remote_damage(struct remote *remote, long off)
{
	const struct content *content = &remote->content;

	if (off == NEVER) {
		remote->origin.bytes = content->bytes;
		return;
	}
	if (!remote->wrong)
		remote->wrong = malloc(content->size);
	assert_non_null(remote->wrong);
	memcpy(remote->wrong, content->bytes, content->size);
	remote->wrong[off] ^= 0x55;
	remote->origin.bytes = remote->wrong;
}

uint64_t remote_sent(struct remote *remote)
{
	SCOPED_LOCK(&remote->origin.lock);

	return remote->origin.sent;
}

unsigned remote_calls(struct remote *remote)
{
	SCOPED_LOCK(&remote->origin.lock);

	return remote->origin.calls;
}

static struct shelf shelf_open_limited(const char *dir, uint64_t limit)
{
	const struct store_options options = {dir, limit, 4};
	struct err err = ERR_INIT;
	struct shelf shelf;

	if (store_open(&options, &shelf.store, &err) < 0 ||
	    layer_table_new(shelf.store, &shelf.table, &err) < 0)
		fail_msg("%s", err.msg);
	return shelf;
}

struct shelf shelf_open(const char *dir)
{
	return shelf_open_limited(dir, PLENTY);
}

void shelf_close(struct shelf *shelf)
{
	layer_table_free(steal(&shelf->table));
	store_close(steal(&shelf->store));
}

/* Removes what a store has under that name: "blobs", "parts", "derived". */
static void shelf_remove(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	remove_tree(path);
}

struct layer *open_annotated(struct shelf *shelf, struct remote *remote,
    const struct annotation *annotations, size_t count)
{
	const struct descriptor descriptor = {.media_type = "",
	    .digest = remote->content.digest,
	    .size = remote->content.size,
	    .annotations = annotations,
	    .annotation_count = count};
	const struct store_source source = {.fetch = origin_fetch,
	    .release = origin_release,
	    .arg = &remote->origin};
	struct layer *layer;
	struct err err = ERR_INIT;

	if (layer_open(shelf->table, &descriptor, &source, &layer, &err) < 0)
		fail_msg("%s", err.msg);
	return layer;
}

struct layer *open_layer(struct shelf *shelf, struct remote *remote)
{
	return open_annotated(shelf, remote, NULL, 0);
}

int await_index(struct layer *layer, const struct layer_index **out,
    struct err *err)
{
	int r = layer_want(layer, err);

	if (r < 0)
		return r;
	r = layer_await(layer, out, err);
	layer_unwant(layer);
	return r;
}

const struct layer_index *index_of(struct layer *layer)
{
	const struct layer_index *index;
	struct err err = ERR_INIT;

	if (await_index(layer, &index, &err) < 0)
		fail_msg("%s", err.msg);
	return index;
}

uint32_t entry_of(const struct layer_index *index, const char *path)
{
	uint32_t at = path_in(index, path);

	if (at == UINT32_MAX)
		fail_msg("no %s", path);
	return at;
}

int read_piece(struct layer *layer, const struct file *file, size_t len,
    uint64_t off, struct err *err)
{
	uint32_t entry = entry_of(layer_index_known(layer), file->name);
	AUTO_FREE char *data = malloc(len + 1);
	size_t want = off < file->content.len ? file->content.len - off : 0;
	ssize_t n;

	assert_non_null(data);
	if (want > len)
		want = len;
	n = layer_read(layer, entry, data, len, off, err);
	if (n < 0) {
		assert_int_equal(n, -err->code);
		return (int)n;
	}
	if ((size_t)n != want ||
	    (n > 0 && memcmp(data, file->content.data + off, want) != 0))
		return err_set(err, EILSEQ, "wrong bytes of %s at %llu",
		    file->name, (unsigned long long)off);
	return 0;
}

void assert_file(struct layer *layer, const struct file *file)
{
	struct err err = ERR_INIT;

	for (uint64_t off = 0; off <= file->content.len; off += 131072)
		if (read_piece(layer, file, 131072, off, &err) < 0)
			fail_msg("%s: %s", file->name, err.msg);
}

void assert_files(struct layer *layer, const struct tarball *tar)
{
	for (size_t i = 0; i < tar->count; i++)
		assert_file(layer, &tar->files[i]);
}

const struct file *file_of(const struct tarball *tar, const char *name)
{
	size_t i = 0;

	while (i < tar->count && strcmp(tar->files[i].name, name) != 0)
		i++;
	assert_true(i < tar->count);
	return &tar->files[i];
}

struct remote *add_blob(struct world *world, const struct buf *blob)
{
	struct remote *remote = calloc(1, sizeof(*remote));

	assert_non_null(remote);
	assert_true(world->count < REMOTES_MAX);
	remote_init(remote, blob);
	world->remotes[world->count++] = remote;
	return remote;
}

struct remote *add_remote(struct world *world, enum packing packing,
    const struct buf *tar)
{
	AUTO_BUF struct buf blob;

	pack(packing, tar, &blob);
	return add_blob(world, &blob);
}

int setup_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	snprintf(world->dir, sizeof(world->dir), "/tmp/test-layer-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	world->shelf = shelf_open(world->dir);
	tar_sample(&world->tar);
	*state = world;
	return 0;
}

int teardown_world(void **state)
{
	struct world *world = *state;

	shelf_close(&world->shelf);
	remove_tree(world->dir);
	for (size_t i = 0; i < world->count; i++) {
		content_release(&world->remotes[i]->content);
		free(world->remotes[i]->wrong);
		free(world->remotes[i]);
	}
	tarball_release(&world->tar);
	free(world);
	return 0;
}

void reopen(struct world *world)
{
	shelf_close(&world->shelf);
	world->shelf = shelf_open(world->dir);
}

void forget_blobs(struct world *world)
{
	shelf_close(&world->shelf);
	shelf_remove(world->dir, "blobs");
	shelf_remove(world->dir, "parts");
	shelf_remove(world->dir, "partial");
	world->shelf = shelf_open(world->dir);
}
