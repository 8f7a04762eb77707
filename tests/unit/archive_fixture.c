/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_fixture.h"

void put_zeros(struct buf *tar, size_t len)
{
	struct err err = ERR_INIT;

	assert_int_equal(buf_reserve(tar, len, &err), 0);
	memset(tar->data + tar->len, 0, len);
	tar->len += len;
}

void put_file(struct buf *tar, const char *name, const void *data, size_t len)
{
	struct err err = ERR_INIT;

	assert_int_equal(tar_header_print(tar, name, len, 0, &err), 0);
	assert_int_equal(buf_add(tar, data, len, &err), 0);
	put_zeros(tar, (size_t)tar_padding(len));
}

void put_text(struct buf *tar, const char *name, const char *text)
{
	put_file(tar, name, text, strlen(text));
}

void change_type(struct buf *tar, enum tar_type type, const char *target)
{
	char *block = tar->data + tar->len - TAR_BLOCK;
	unsigned sum = 0;

	block[156] = (char)type;
	snprintf(block + 157, 100, "%s", target);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
}

void put_link(struct buf *tar, enum tar_type type, const char *name,
    const char *target)
{
	put_text(tar, name, "");
	change_type(tar, type, target);
}

void put_end(struct buf *tar)
{
	put_zeros(tar, (size_t)2 * TAR_BLOCK);
}

void make_layer(struct buf *out, const char *content)
{
	put_text(out, "file", content);
	put_end(out);
}

void make_gzip(struct buf *out, const struct buf *in)
{
	struct err err = ERR_INIT;
	CLEANUP(pool_free_p) struct pool *pool = pool_new("test", 1, &err);
	CLEANUP(encoder_free_p) struct encoder *encoder = NULL;
	AUTO_FD int fd = file_temp("/tmp", &err);
	const struct encoder_options options = {COMPRESSION_GZIP,
	    COMPRESSION_LEVEL_DEFAULT, 512 << 10, pool, 1, fd, NULL, NULL};
	struct digest digest;
	uint64_t size;

	assert_int_equal(encoder_new(&options, &encoder, &err), 0);
	assert_int_equal(encoder_write(encoder, buf_str(in), in->len, &err), 0);
	assert_int_equal(encoder_finish(encoder, &digest, &size, &err), 0);
	assert_int_equal(buf_reserve(out, size, &err), 0);
	assert_int_equal(file_pread(fd, out->data + out->len, size, 0, &err),
	    size);
	out->len += size;
}

void make_zstd(struct buf *out, const struct buf *in)
{
	size_t bound = ZSTD_compressBound(in->len);
	struct err err = ERR_INIT;
	size_t len;

	assert_int_equal(buf_reserve(out, bound, &err), 0);
	len =
	    ZSTD_compress(out->data + out->len, bound, buf_str(in), in->len, 3);
	assert_false(ZSTD_isError(len));
	out->len += len;
}

/* What is reported is there to be read. */
static void note_layer(void *arg, const struct archive_entry *entry)
{
	struct reading *reading = arg;
	struct err err = ERR_INIT;
	uint64_t head = entry->size < TAR_BLOCK ? entry->size : TAR_BLOCK;
	char data[TAR_BLOCK];

	assert_true(
	    archive_reader_size(reading->reader) >= entry->offset + head);
	assert_int_equal(file_pread(archive_reader_fd(reading->reader), data,
			     head, entry->offset, &err),
	    head);
	assert_int_equal(buf_addf(&reading->layers, &err, "%s\n", entry->name),
	    0);
}

void reading_begin(struct reading *reading)
{
	struct archive_reader_options options = {.temp_dir = "/tmp",
	    .layer = note_layer,
	    .arg = reading};

	*reading = (struct reading){.layers = BUF_INIT(1 << 20)};
	reading->fd = file_temp("/tmp", &reading->err);
	assert_true(reading->fd >= 0);
	options.fd = reading->fd;
	assert_int_equal(archive_reader_new(&options, &reading->reader,
			     &reading->err),
	    0);
}

void reading_end(struct reading *reading)
{
	archive_reader_free(reading->reader);
	buf_release(&reading->layers);
	close(reading->fd);
}

int reading_feed(struct reading *reading, const void *data, size_t len)
{
	struct err err = ERR_INIT;

	assert_int_equal(file_pwrite(reading->fd, data, len, reading->written,
			     &err),
	    0);
	reading->written += len;
	return archive_reader_feed(reading->reader, data, len, &reading->err);
}

int reading_feed_all(struct reading *reading, const struct buf *bytes,
    size_t piece)
{
	int r = 0;

	for (size_t done = 0; r >= 0 && done < bytes->len; done += piece) {
		size_t left = bytes->len - done;

		r = reading_feed(reading, bytes->data + done,
		    left < piece ? left : piece);
	}
	return r;
}

void reading_all(struct reading *reading, const struct buf *bytes)
{
	reading_begin(reading);
	if (reading_feed_all(reading, bytes, 5000) != 1)
		fail_msg("not complete: %s", reading->err.msg);
}
