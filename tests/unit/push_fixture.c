/* SPDX-License-Identifier: Apache-2.0 */
#include "push_fixture.h"
#include "base/strf.h"

static void open_registry(struct fixture *f)
{
	const struct http_options http = {.user_agent = "test/1",
	    .connect_timeout = 10,
	    .stall_timeout = 10,
	    .min_rate = 1024,
	    .attempts = 1,
	    .max_wait = 1,
	    .host_connections = 8};
	struct registry *opened;
	const struct registry_options registry = {
	    .address = server_url(f->server->server, "")};
	AUTO_FREE char *authfile = strf("%s/auth.json", f->dir);
	int fd = open(authfile, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(write(fd, "{}", 2), 2);
	close(fd);
	f->http = http_new(&http, &f->err);
	assert_non_null(f->http);
	f->creds = creds_new(authfile, &f->err);
	assert_non_null(f->creds);
	must(registry_open(f->http, f->creds, &registry, &opened, &f->err));
	must(registry_source(opened, &f->source, &f->err));
}

void open_images(struct fixture *f)
{
	const struct images_options images = {.platform = {.os = "linux",
						  .architecture = "amd64"},
	    .tag_ttl = 60,
	    .epoch = 1700000000};
	AUTO_FREE char *dir = strf("%s/store", f->dir);
	const struct store_options store = {dir, 1ULL << 30, 4};

	must(store_open(&store, &f->store, &f->err));
	f->shared = images_shared_new(f->store, &f->err);
	assert_non_null(f->shared);
	must(images_new(f->source, f->shared, &images, &f->images, &f->err));
}

int push_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/test-push-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->archive = BUF_INIT(ARCHIVE_MAX);
	f->server = registry_double_new();
	open_registry(f);
	open_images(f);
	*state = f;
	return 0;
}

void close_push(struct fixture *f)
{
	push_free(steal(&f->push));
	spool_free(steal(&f->spool));
}

int push_teardown(void **state)
{
	struct fixture *f = *state;

	close_push(f);
	images_free(f->images);
	images_shared_free(f->shared);
	store_close(f->store);
	source_close(f->source);
	creds_free(f->creds);
	http_free(f->http);
	registry_double_free(f->server);
	remove_tree(f->dir);
	buf_release(&f->archive);
	free(f);
	return 0;
}

void add_bytes(struct buf *out, const void *data, size_t len)
{
	struct err err = ERR_INIT;

	if (buf_add(out, data, len, &err) < 0)
		fail_msg("%s", err.msg);
}

void add_zeros(struct buf *out, size_t len)
{
	static const char zeros[1024];

	for (; len > sizeof(zeros); len -= sizeof(zeros))
		add_bytes(out, zeros, sizeof(zeros));
	add_bytes(out, zeros, len);
}

void add_tar_file(struct buf *out, const char *name, const void *data,
    size_t len)
{
	struct err err = ERR_INIT;

	if (tar_header_print(out, name, len, 0, &err) < 0)
		fail_msg("%s", err.msg);
	add_bytes(out, data, len);
	add_zeros(out, tar_padding(len));
}

void sha256_of(const void *data, size_t len, struct digest *out)
{
	struct err err = ERR_INIT;

	if (digest_of(DIGEST_SHA256, data, len, out, &err) < 0)
		fail_msg("%s", err.msg);
}

static void layer_init(struct layer *layer, uint32_t seed, size_t size)
{
	AUTO_FREE char *bytes = malloc(size + 1);
	uint32_t x = seed * 2654435761u + 1;

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (char)('a' + (x >> 28));
	}
	layer->tar = BUF_INIT(ARCHIVE_MAX);
	layer->packed = BUF_INIT(ARCHIVE_MAX);
	add_tar_file(&layer->tar, "etc/data", bytes, size);
	add_zeros(&layer->tar, 1024);
	sha256_of(layer->tar.data, layer->tar.len, &layer->diff_id);
	digest_hex(&layer->diff_id, layer->hex);
}

void add_gzip(struct fixture *f, struct buf *out, const void *data, size_t len)
{
	CLEANUP(pool_free_p) struct pool *pool = pool_new("gzip", 1, &f->err);
	CLEANUP(encoder_free_p) struct encoder *encoder = NULL;
	AUTO_FD int fd = store_temp(f->store, &f->err);
	const struct encoder_options options = {COMPRESSION_GZIP,
	    COMPRESSION_LEVEL_DEFAULT, 512 << 10, pool, 1, fd, NULL, NULL};
	struct digest digest;
	uint64_t size;

	must(encoder_new(&options, &encoder, &f->err));
	must(encoder_write(encoder, data, len, &f->err));
	must(encoder_finish(encoder, &digest, &size, &f->err));
	must(buf_reserve(out, size, &f->err));
	must(file_pread(fd, out->data + out->len, size, 0, &f->err));
	out->len += size;
}

void pack_layer(struct fixture *f, struct layer *layer)
{
	add_gzip(f, &layer->packed, layer->tar.data, 1000);
	add_gzip(f, &layer->packed, layer->tar.data + 1000,
	    layer->tar.len - 1000);
}

struct layers make_layers(size_t count, uint32_t seed)
{
	struct layers layers = {.count = count};

	for (size_t i = 0; i < count; i++)
		layer_init(&layers.list[i], seed + (uint32_t)i,
		    LAYER_SIZE + 1000 * i);
	return layers;
}

void layers_release(struct layers *layers)
{
	for (size_t i = 0; i < layers->count; i++) {
		buf_release(&layers->list[i].tar);
		buf_release(&layers->list[i].packed);
	}
}

void print_config(struct buf *out, const struct layers *layers)
{
	must_add(out, &err_,
	    "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":"
	    "{\"type\":\"layers\",\"diff_ids\":[");
	for (size_t i = 0; i < layers->count; i++)
		must_add(out, &err_, "%s\"sha256:%s\"", i ? "," : "",
		    layers->list[i].hex);
	must_add(out, &err_, "]}}");
}

void print_item(struct buf *out, const struct layers *layers,
    const char *config, const char *repo_tag, bool by_digest)
{
	must_add(out, &err_,
	    "{\"Config\":\"%s\",\"RepoTags\":[\"%s\"],\"Layers\":[", config,
	    repo_tag);
	for (size_t i = 0; i < layers->count; i++) {
		must_add(out, &err_, "%s", i ? "," : "");
		if (by_digest)
			must_add(out, &err_, "\"%s.tar\"", layers->list[i].hex);
		else
			must_add(out, &err_, "\"%064zu/layer.tar\"", i);
	}
	must_add(out, &err_, "]}");
}

void add_layers(struct buf *out, const struct layers *layers, bool by_digest)
{
	for (size_t i = 0; i < layers->count; i++) {
		const struct layer *layer = &layers->list[i];
		const struct buf *body =
		    layer->packed.len ? &layer->packed : &layer->tar;
		char name[128];

		if (by_digest)
			snprintf(name, sizeof(name), "%s.tar", layer->hex);
		else
			snprintf(name, sizeof(name), "%064zu/layer.tar", i);
		add_tar_file(out, name, body->data, body->len);
	}
}

void make_docker(struct fixture *f, const struct layers *layers, bool by_digest)
{
	AUTO_BUF struct buf config = BUF_INIT(1 << 20);
	AUTO_BUF struct buf manifest = BUF_INIT(1 << 20);

	buf_reset(&f->archive);
	add_layers(&f->archive, layers, by_digest);
	print_config(&config, layers);
	add_tar_file(&f->archive, "config.json", config.data, config.len);
	must_add(&manifest, &err_, "[");
	print_item(&manifest, layers, "config.json", "app:1.0", by_digest);
	must_add(&manifest, &err_, "]");
	add_tar_file(&f->archive, "manifest.json", manifest.data, manifest.len);
	add_zeros(&f->archive, 1024);
}

void begin_push(struct fixture *f, const char *repository, const char *tag)
{
	close_push(f);
	must(spool_new(f->store, &f->spool, &f->err));
	must(push_new(&(struct tag_ref){.images = f->images,
			  .repository = repository,
			  .tag = tag},
	    f->spool, &f->push, &f->err));
}

int write_part(struct fixture *f, size_t from, size_t to)
{
	const char *data = f->archive.data + from;

	must(spool_write(f->spool, data, to - from, from, &f->err));
	return push_advance(f->push, data, to - from, from, &f->err);
}

int write_range(struct fixture *f, size_t from, size_t to)
{
	int r = 0;

	for (size_t next; from < to && r >= 0; from = next) {
		next = to - from > WRITE_SIZE ? from + WRITE_SIZE : to;
		r = write_part(f, from, next);
	}
	return r;
}

int push_archive(struct fixture *f, const char *repository, const char *tag)
{
	begin_push(f, repository, tag);
	return write_range(f, 0, f->archive.len);
}

int end_push(struct fixture *f)
{
	f->err = (struct err)ERR_INIT;
	return push_end(f->push, true, &f->err);
}

static int collect(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct collector *collector = (struct collector *)sink;

	return buf_add(&collector->data, data, len, err);
}

/* The blob is there, and decompressed it is the layer. */
static void assert_blob_is(struct fixture *f, const char *repository,
    const struct descriptor *descriptor, const struct layer *layer)
{
	struct collector out = {{collect}, BUF_INIT(ARCHIVE_MAX)};
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	char text[DIGEST_TEXT_SIZE];
	const struct stored *blob = registry_double_blob(f->server, repository,
	    digest_format(&descriptor->digest, text));

	assert_non_null(blob);
	assert_int_equal(blob->len, descriptor->size);
	must(decoder_new(compression_sniff(blob->data, blob->len), &out.sink,
	    ARCHIVE_MAX, &decoder, &f->err));
	must(decoder_write(decoder, blob->data, blob->len, &f->err));
	assert_true(decoder_at_end(decoder));
	assert_int_equal(out.data.len, layer->tar.len);
	assert_memory_equal(out.data.data, layer->tar.data, out.data.len);
	buf_release(&out.data);
}

void assert_image(struct fixture *f, const char *repository, const char *tag,
    const struct layers *layers, const char *media_type)
{
	const struct stored *stored =
	    registry_double_manifest(f->server, repository, tag);
	CLEANUP(manifest_free_p) struct manifest *manifest = NULL;
	char text[DIGEST_TEXT_SIZE];

	assert_non_null(stored);
	assert_string_equal(stored->type, media_type);
	must(manifest_parse(stored->data, stored->len, stored->type, &manifest,
	    &f->err));
	assert_int_equal(manifest->entry_count, layers->count);
	for (size_t i = 0; i < layers->count; i++)
		assert_blob_is(f, repository, &manifest->entries[i],
		    &layers->list[i]);
	assert_non_null(registry_double_blob(f->server, repository,
	    digest_format(&manifest->config.digest, text)));
}
