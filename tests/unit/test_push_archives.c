/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes of all that is taken as an archive, and of what is not whole. */
#include "push_fixture.h"

static void add_text(struct buf *out, const char *name, const char *text)
{
	add_tar_file(out, name, text, strlen(text));
}

static void layers_named_by_nothing(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(3, 1);

	make_docker(f, &layers, false);
	assert_pushed(push_archive(f, "app", "1.0"));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void a_layer_that_was_compressed(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(3, 1);
	const struct layer *packed = &layers.list[1];
	struct digest digest;
	char text[DIGEST_TEXT_SIZE];

	pack_layer(f, &layers.list[1]);
	make_docker(f, &layers, false);
	assert_pushed(push_archive(f, "app", "1.0"));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
	sha256_of(packed->packed.data, packed->packed.len, &digest);
	assert_non_null(registry_double_blob(f->server, "app",
	    digest_format(&digest, text)));
}

/* Appends the bytes as a zstd frame (RFC 8878) of raw blocks. */
static void add_zstd(struct buf *out, const char *data, size_t len)
{
	/* The magic number, nothing optional, a window of 2 MiB. */
	static const char head[] = "\x28\xb5\x2f\xfd\x00\x58";

	add_bytes(out, head, 6);
	while (len > 0) {
		size_t n = len > 100000 ? 100000 : len;
		uint32_t header = (uint32_t)n << 3 | (n == len);

		/* Three bytes, the lowest first; the type of raw blocks is
		 * 0. */
		for (int i = 0; i < 3; i++)
			add_bytes(out, &(char){(char)(header >> 8 * i)}, 1);
		add_bytes(out, data, n);
		data += n;
		len -= n;
	}
}

/* Docker's manifests have no media type for it. */
static void a_layer_in_zstd(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	struct layer *layer = &layers.list[1];

	add_zstd(&layer->packed, layer->tar.data, layer->tar.len);
	make_docker(f, &layers, false);
	assert_pushed(push_archive(f, "app", "1.0"));
	assert_image(f, "app", "1.0", &layers, MEDIA_OCI_MANIFEST);
}

static void a_layer_in_damaged_xz(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);

	add_bytes(&layers.list[0].packed,
	    "\xfd"
	    "7zXZ\0 and so on",
	    16);
	make_docker(f, &layers, false);
	assert_fails(push_archive(f, "app", "1.0"), EINVAL,
	    "layer.tar: xz offset 12: the data is damaged");
}

static void a_layer_without_files(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	struct layer *layer = &layers.list[1];

	buf_reset(&layer->tar);
	add_zeros(&layer->tar, 1024);
	sha256_of(layer->tar.data, layer->tar.len, &layer->diff_id);
	digest_hex(&layer->diff_id, layer->hex);
	make_docker(f, &layers, true);
	assert_pushed(push_archive(f, "app", "1.0"));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

static void a_layer_that_is_not_the_config_s(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	struct layer *layer = &layers.list[1];

	/* The config then says what is not so. */
	layer->tar.data[600] ^= 1;
	make_docker(f, &layers, false);
	assert_fails(push_archive(f, "app", "1.0"), EINVAL, "1/layer.tar");
	assert_non_null(strstr(f->err.msg, layer->hex));
	assert_false(push_may_go_on(f->push));
	assert_int_equal(f->server->manifest_puts, 0);
}

static void compressed_as_a_whole(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	AUTO_BUF struct buf whole = BUF_INIT(ARCHIVE_MAX);

	make_docker(f, &layers, true);
	add_gzip(f, &whole, f->archive.data, f->archive.len);
	buf_reset(&f->archive);
	add_bytes(&f->archive, whole.data, whole.len);
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, f->archive.len - 1), 0);
	assert_true(write_range(f, f->archive.len - 1, f->archive.len) >= 0);
	assert_pushed(end_push(f));
	assert_image(f, "app", "1.0", &layers, MEDIA_DOCKER_MANIFEST);
}

/* Two images that share their first layer. */
static void make_two_images(struct fixture *f, const struct layers *one,
    const struct layers *two)
{
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);

	add_layers(&f->archive, two, true);
	print_config(&text, one);
	add_tar_file(&f->archive, "one.json", text.data, text.len);
	buf_reset(&text);
	print_config(&text, two);
	add_tar_file(&f->archive, "two.json", text.data, text.len);
	buf_reset(&text);
	must_add(&text, &err_, "[");
	print_item(&text, one, "one.json", "app:one", true);
	must_add(&text, &err_, ",");
	print_item(&text, two, "two.json", "app:two", true);
	must_add(&text, &err_, "]");
	add_tar_file(&f->archive, "manifest.json", text.data, text.len);
	add_zeros(&f->archive, 1024);
}

static void the_one_of_several_that_the_tag_names(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers two = make_layers(2, 1);
	struct layers one = {.count = 1, .list = {two.list[0]}};

	make_two_images(f, &one, &two);
	assert_pushed(push_archive(f, "app", "one"));
	assert_image(f, "app", "one", &one, MEDIA_DOCKER_MANIFEST);
	assert_pushed(push_archive(f, "app", "two"));
	assert_image(f, "app", "two", &two, MEDIA_DOCKER_MANIFEST);
	assert_fails(push_archive(f, "app", "three"), EINVAL, "app:one");
	assert_int_equal(f->server->manifest_puts, 2);
}

static void a_root_file_system(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);
	CLEANUP(image_put_p) struct image *image = NULL;
	const struct config *config = NULL;
	struct layer *layer = &layers.list[0];

	buf_reset(&layer->tar);
	add_text(&layer->tar, "./etc/hostname", "here\n");
	add_text(&layer->tar, "./bin/sh", "#!\n");
	add_zeros(&layer->tar, 1024);
	sha256_of(layer->tar.data, layer->tar.len, &layer->diff_id);
	add_bytes(&f->archive, layer->tar.data, layer->tar.len);
	add_zeros(&f->archive, 2048);
	assert_pushed(push_archive(f, "app", "1.0"));
	assert_image(f, "app", "1.0", &layers, MEDIA_OCI_MANIFEST);
	must(image_open(f->images, "app", push_digest(f->push), &image,
	    &f->err));
	must(image_config(image, &config, &f->err));
	assert_string_equal(config->platform.architecture, "amd64");
	assert_int_equal(config->created, 1700000000);
	assert_int_equal(config->diff_id_count, 1);
	assert_true(digest_equal(&config->diff_ids[0], &layer->diff_id));
}

/* --- OCI layouts --- */

static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";

/* Adds it as blobs/sha256/HEX and appends its descriptor to `list`. */
static void add_blob(struct fixture *f, struct buf *list,
    const char *media_type, const void *data, size_t len, const char *more)
{
	char name[128], hex[DIGEST_TEXT_SIZE];
	struct digest digest;

	sha256_of(data, len, &digest);
	snprintf(name, sizeof(name), "blobs/sha256/%s",
	    digest_hex(&digest, hex));
	add_tar_file(&f->archive, name, data, len);
	must_add(list, &err_,
	    "%s{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\","
	    "\"size\":%zu%s}",
	    list->len ? "," : "", media_type, hex, len, more);
}

/* An image's blobs and manifest; its descriptor goes to `list`. */
static void add_oci_image(struct fixture *f, const struct layers *layers,
    struct buf *list, const char *more)
{
	AUTO_BUF struct buf config = BUF_INIT(1 << 20);
	AUTO_BUF struct buf config_list = BUF_INIT(1 << 20);
	AUTO_BUF struct buf layer_list = BUF_INIT(1 << 20);
	AUTO_BUF struct buf manifest = BUF_INIT(1 << 20);

	for (size_t i = 0; i < layers->count; i++) {
		const struct layer *layer = &layers->list[i];
		bool packed = layer->packed.len > 0;
		const struct buf *body = packed ? &layer->packed : &layer->tar;

		add_blob(f, &layer_list,
		    packed ? MEDIA_OCI_LAYER_GZIP : MEDIA_OCI_LAYER, body->data,
		    body->len, "");
	}
	print_config(&config, layers);
	add_blob(f, &config_list, MEDIA_OCI_CONFIG, config.data, config.len,
	    "");
	must_add(&manifest, &err_,
	    "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":%s,"
	    "\"layers\":[%s]}",
	    MEDIA_OCI_MANIFEST, config_list.data, layer_list.data);
	add_blob(f, list, MEDIA_OCI_MANIFEST, manifest.data, manifest.len,
	    more);
}

static void print_index(struct buf *out, const char *list)
{
	must_add(out, &err_,
	    "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s]}",
	    MEDIA_OCI_INDEX, list);
}

static void end_layout(struct fixture *f, const char *list)
{
	AUTO_BUF struct buf index = BUF_INIT(1 << 20);

	print_index(&index, list);
	add_tar_file(&f->archive, "index.json", index.data, index.len);
	add_text(&f->archive, "oci-layout", layout);
	add_zeros(&f->archive, 1024);
}

/* The tag's manifest has the digest that the text tells. */
static void assert_digest_in(struct fixture *f, const char *text)
{
	char digest[DIGEST_TEXT_SIZE];

	digest_format(push_digest(f->push), digest);
	assert_non_null(strstr(text, digest));
	assert_non_null(registry_double_manifest(f->server, "app", digest));
}

static void an_oci_archive_stays_what_it_is(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	AUTO_BUF struct buf list = BUF_INIT(1 << 20);

	pack_layer(f, &layers.list[0]);
	pack_layer(f, &layers.list[1]);
	add_oci_image(f, &layers, &list, "");
	end_layout(f, list.data);
	assert_pushed(push_archive(f, "app", "1.0"));
	assert_image(f, "app", "1.0", &layers, MEDIA_OCI_MANIFEST);
	assert_digest_in(f, list.data);
	assert_int_equal(f->server->uploads, 3);
	assert_pushed(push_archive(f, "team/app", "1.0"));
	assert_int_equal(f->server->mounts, 2);
}

static void an_oci_archive_with_plain_layers(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	AUTO_BUF struct buf list = BUF_INIT(1 << 20);

	add_oci_image(f, &layers, &list, "");
	end_layout(f, list.data);
	assert_pushed(push_archive(f, "app", "1.0"));
	assert_image(f, "app", "1.0", &layers, MEDIA_OCI_MANIFEST);
}

static void add_two_platforms(struct fixture *f, const struct layers *amd64,
    const struct layers *arm64, struct buf *list)
{
	AUTO_BUF struct buf images = BUF_INIT(1 << 20);
	AUTO_BUF struct buf index = BUF_INIT(1 << 20);

	add_oci_image(f, amd64, &images,
	    ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}");
	add_oci_image(f, arm64, &images,
	    ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}");
	print_index(&index, images.data);
	add_blob(f, list, MEDIA_OCI_INDEX, index.data, index.len, "");
}

/* One of its layers is plain, and as it is part of an index stays so. */
static void an_index_with_two_platforms(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers amd64 = make_layers(1, 1);
	AUTO_LAYERS struct layers arm64 = make_layers(1, 2);
	AUTO_BUF struct buf list = BUF_INIT(1 << 20);
	const struct stored *index;
	const struct layer *plain = &arm64.list[0];
	char text[DIGEST_TEXT_SIZE];

	pack_layer(f, &amd64.list[0]);
	add_two_platforms(f, &amd64, &arm64, &list);
	end_layout(f, list.data);
	assert_pushed(push_archive(f, "app", "1.0"));
	assert_digest_in(f, list.data);
	index = registry_double_manifest(f->server, "app", "1.0");
	assert_string_equal(index->type, MEDIA_OCI_INDEX);
	assert_int_equal(f->server->manifest_puts, 3);
	assert_non_null(registry_double_blob(f->server, "app",
	    digest_format(&plain->diff_id, text)));
}

static void a_blob_that_is_not_its_digest(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);
	AUTO_BUF struct buf list = BUF_INIT(1 << 20);

	pack_layer(f, &layers.list[0]);
	add_oci_image(f, &layers, &list, "");
	end_layout(f, list.data);
	/* The last bytes of the first entry: the layer. */
	f->archive.data[512 + layers.list[0].packed.len - 1] ^= 1;
	assert_fails(push_archive(f, "app", "1.0"), EINVAL, "blobs/sha256/");
	assert_int_equal(f->server->manifest_puts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PUSH_TEST(layers_named_by_nothing),
	    PUSH_TEST(a_layer_that_was_compressed),
	    PUSH_TEST(a_layer_in_zstd),
	    PUSH_TEST(a_layer_in_damaged_xz),
	    PUSH_TEST(a_layer_without_files),
	    PUSH_TEST(a_layer_that_is_not_the_config_s),
	    PUSH_TEST(compressed_as_a_whole),
	    PUSH_TEST(the_one_of_several_that_the_tag_names),
	    PUSH_TEST(a_root_file_system),
	    PUSH_TEST(an_oci_archive_stays_what_it_is),
	    PUSH_TEST(an_oci_archive_with_plain_layers),
	    PUSH_TEST(an_index_with_two_platforms),
	    PUSH_TEST(a_blob_that_is_not_its_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
