/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_images.h"
#include "base/strf.h"

struct digest digest_buf(const struct buf *buf)
{
	struct digest digest;
	struct err err = ERR_INIT;

	assert_int_equal(digest_of(DIGEST_SHA256, buf_str(buf), buf->len,
			     &digest, &err),
	    0);
	return digest;
}

static void image_make_layers(struct test_image *image, const char *name,
    enum form form)
{
	for (int i = 0; i < LAYERS; i++) {
		AUTO_BUF struct buf plain = ARCHIVE_INIT;
		AUTO_FREE char *text = strf("%s %d", name, i);

		image->layers[i] = ARCHIVE_INIT;
		make_layer(&plain, text);
		image->diff_ids[i] = digest_buf(&plain);
		if (form == FORM_GZIP)
			make_gzip(&image->layers[i], &plain);
		else
			make_layer(&image->layers[i], text);
		image->layer_digests[i] = digest_buf(&image->layers[i]);
	}
}

void image_make_manifest(struct test_image *image, enum form form)
{
	struct descriptor layers[LAYERS] = {0};
	struct descriptor config = {.media_type = MEDIA_OCI_CONFIG,
	    .digest = image->config_digest,
	    .size = image->config.len};
	struct err err = ERR_INIT;

	for (int i = 0; i < LAYERS; i++) {
		layers[i].media_type =
		    form == FORM_GZIP ? MEDIA_OCI_LAYER_GZIP : MEDIA_OCI_LAYER;
		layers[i].digest = image->layer_digests[i];
		layers[i].size = image->layers[i].len;
	}
	image->manifest = ARCHIVE_INIT;
	assert_int_equal(manifest_print(&image->manifest, MEDIA_OCI_MANIFEST,
			     &config, layers, LAYERS, &err),
	    0);
	image->manifest_digest = digest_buf(&image->manifest);
}

void image_make(struct test_image *image, const char *name, enum form form)
{
	char text[LAYERS][DIGEST_TEXT_SIZE];
	struct err err = ERR_INIT;

	image_make_layers(image, name, form);
	for (int i = 0; i < LAYERS; i++)
		digest_format(&image->diff_ids[i], text[i]);
	image->config = ARCHIVE_INIT;
	assert_int_equal(
	    buf_addf(&image->config, &err,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":"
		"{\"type\":\"layers\",\"diff_ids\":[\"%s\",\"%s\"]}}",
		text[0], text[1]),
	    0);
	image->config_digest = digest_buf(&image->config);
	image_make_manifest(image, form);
}

void image_release(struct test_image *image)
{
	buf_release(&image->config);
	buf_release(&image->manifest);
	for (int i = 0; i < LAYERS; i++)
		buf_release(&image->layers[i]);
}

void put_blob(struct buf *tar, const struct buf *blob)
{
	struct digest digest = digest_buf(blob);
	char hex[DIGEST_TEXT_SIZE];
	AUTO_FREE char *name =
	    strf("blobs/sha256/%s", digest_hex(&digest, hex));

	put_file(tar, name, blob->data, blob->len);
}

void put_blobs(struct buf *tar, const struct test_image *image)
{
	put_blob(tar, &image->config);
	for (int i = 0; i < LAYERS; i++)
		put_blob(tar, &image->layers[i]);
	put_blob(tar, &image->manifest);
}

void add_entry(struct buf *index, const char *media_type,
    const struct buf *manifest, const char *extra)
{
	struct digest digest = digest_buf(manifest);
	char text[DIGEST_TEXT_SIZE];
	struct err err = ERR_INIT;

	assert_int_equal(
	    buf_addf(index, &err,
		"%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}",
		index->len > 0 ? "," : "", media_type,
		digest_format(&digest, text), manifest->len, extra),
	    0);
}

void make_index(struct buf *out, const struct buf *entries)
{
	struct err err = ERR_INIT;

	assert_int_equal(buf_addf(out, &err,
			     "{\"schemaVersion\":2,\"mediaType\":"
			     "\"" MEDIA_OCI_INDEX "\",\"manifests\":[%s]}",
			     buf_str(entries)),
	    0);
}

void put_index(struct buf *tar, const struct buf *entries)
{
	AUTO_BUF struct buf index = ARCHIVE_INIT;

	make_index(&index, entries);
	put_file(tar, "index.json", index.data, index.len);
	put_text(tar, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
}

static char *file_name(const char *format, const struct digest *digest)
{
	char hex[DIGEST_TEXT_SIZE];

	return strf(format, digest_hex(digest, hex));
}

void put_parts(struct buf *tar, const struct test_image *image,
    const struct naming *naming)
{
	AUTO_FREE char *config =
	    file_name(naming->config, &image->config_digest);

	put_file(tar, config, image->config.data, image->config.len);
	for (int i = 0; i < LAYERS; i++) {
		AUTO_FREE char *layer =
		    file_name(naming->layer, &image->layer_digests[i]);

		put_file(tar, layer, image->layers[i].data,
		    image->layers[i].len);
	}
}

void add_image(struct buf *list, const struct test_image *image,
    const struct naming *naming, const char *name)
{
	AUTO_FREE char *config =
	    file_name(naming->config, &image->config_digest);
	AUTO_FREE char *first =
	    file_name(naming->layer, &image->layer_digests[0]);
	AUTO_FREE char *second =
	    file_name(naming->layer, &image->layer_digests[1]);
	struct err err = ERR_INIT;

	assert_int_equal(buf_addf(list, &err,
			     "%s{\"Config\":\"%s\",\"RepoTags\":[\"%s\"],"
			     "\"Layers\":[\"%s\",\"%s\"]}",
			     list->len > 0 ? "," : "", config, name, first,
			     second),
	    0);
}

void put_manifest(struct buf *tar, const struct buf *list)
{
	AUTO_FREE char *text = strf("[%s]", buf_str(list));

	put_text(tar, "manifest.json", text);
}

int contents_read(struct test_contents *test, struct buf *tar, const char *tag)
{
	const struct archive_wanted wanted = {.repository = "app", .tag = tag};

	*test = (struct test_contents){0};
	put_end(tar);
	reading_all(&test->reading, tar);
	return archive_contents_read(test->reading.reader, &wanted,
	    &test->contents, &test->reading.err);
}

void contents_release(struct test_contents *test)
{
	archive_contents_free(test->contents);
	reading_end(&test->reading);
}

void check_contents_refused(struct buf *tar, const char *tag, const char *says)
{
	AUTO_CONTENTS struct test_contents test;

	assert_int_equal(contents_read(&test, tar, tag), -EINVAL);
	if (!strstr(test.reading.err.msg, says))
		fail_msg("%s, not %s", test.reading.err.msg, says);
}

void check_entry(const struct test_contents *test,
    const struct archive_entry *entry, const struct buf *expected)
{
	AUTO_FREE char *data = malloc(expected->len + 1);
	struct err err = ERR_INIT;

	assert_int_equal(entry->size, expected->len);
	assert_int_equal(file_pread(archive_reader_fd(test->reading.reader),
			     data, expected->len, entry->offset, &err),
	    expected->len);
	assert_memory_equal(data, expected->data, expected->len);
}

void check_docker(const struct test_contents *test,
    const struct test_image *image)
{
	const struct archive_contents *contents = test->contents;

	assert_int_equal(contents->kind, ARCHIVE_DOCKER);
	assert_int_equal(contents->config_len, image->config.len);
	assert_memory_equal(contents->config_data, image->config.data,
	    image->config.len);
	assert_int_equal(contents->config->diff_id_count, LAYERS);
	assert_int_equal(contents->layer_count, LAYERS);
	for (int i = 0; i < LAYERS; i++) {
		check_entry(test, &contents->layers[i].entry,
		    &image->layers[i]);
		assert_true(digest_equal(&contents->layers[i].diff_id,
		    &image->diff_ids[i]));
	}
}
