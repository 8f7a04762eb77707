/* SPDX-License-Identifier: Apache-2.0 */
#include "tarball_fixture.h"

void tarball_release(struct tarball *tar)
{
	buf_release(&tar->bytes);
	for (size_t i = 0; i < tar->count; i++)
		buf_release(&tar->files[i].content);
}

void tar_put(struct tarball *tar, const char *name, const void *data,
    size_t len)
{
	static const char zeros[TAR_BLOCK];
	struct err err = ERR_INIT;

	if (tar->bytes.limit == 0)
		tar->bytes = BUF_INIT(TAR_MAX);
	assert_int_equal(tar_header_print(&tar->bytes, name, len, 1, &err), 0);
	append(&tar->bytes, data, len);
	append(&tar->bytes, zeros, tar_padding(len));
}

static struct file *tar_new_file(struct tarball *tar, const char *name)
{
	struct file *file = &tar->files[tar->count++];

	assert_true(tar->count <= FILES_MAX);
	snprintf(file->name, sizeof(file->name), "%s", name);
	file->content = BUF_INIT(TAR_MAX);
	return file;
}

void tar_file(struct tarball *tar, const char *name, const void *data,
    size_t len)
{
	append(&tar_new_file(tar, name)->content, data, len);
	tar_put(tar, name, data, len);
}

void tar_file_of(struct tarball *tar, const char *name, enum kind kind,
    unsigned times)
{
	AUTO_BUF struct buf data = BUF_INIT(TAR_MAX);

	while (times-- > 0) {
		AUTO_BUF struct buf some = BUF_INIT(TAR_MAX);

		sample_make(kind, &some);
		append(&data, some.data, some.len);
	}
	tar_file(tar, name, data.data, data.len);
}

void tar_dir(struct tarball *tar, const char *name)
{
	tar_put(tar, name, "", 0);
}

/* Changes what was written last, a header alone. */
static char *tar_last_header(struct tarball *tar)
{
	return tar->bytes.data + tar->bytes.len - TAR_BLOCK;
}

static void tar_sum(char *header)
{
	unsigned sum = 8 * ' ';

	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (i < 148 || i >= 156)
			sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
}

void tar_link(struct tarball *tar, enum tar_type type, const char *name,
    const char *target)
{
	char *header;

	tar_put(tar, name, "", 0);
	header = tar_last_header(tar);
	header[156] = (char)type;
	snprintf(header + 157, 100, "%s", target);
	tar_sum(header);
}

void tar_sparse(struct tarball *tar, const char *name, size_t piece,
    size_t hole)
{
	struct file *file = tar_new_file(tar, name);
	AUTO_BUF struct buf stored = BUF_INIT(TAR_MAX);
	AUTO_BUF struct buf noise = BUF_INIT(TAR_MAX);
	AUTO_FREE char *zeros = calloc(1, hole);
	char *header;
	size_t at;

	sample_make(NOISE, &noise);
	assert_true(SPARSE_PIECES * piece <= noise.len);
	append(&stored, noise.data, SPARSE_PIECES * piece);
	at = tar->bytes.len;
	tar_put(tar, name, stored.data, stored.len);
	header = tar->bytes.data + at;
	header[156] = 'S';
	memcpy(header + 257, "ustar  ", 8);
	for (size_t i = 0; i < SPARSE_PIECES; i++) {
		append(&file->content, zeros, hole);
		snprintf(header + 386 + 24 * i, 12, "%011zo",
		    file->content.len);
		snprintf(header + 398 + 24 * i, 12, "%011zo", piece);
		append(&file->content, stored.data + i * piece, piece);
	}
	append(&file->content, zeros, hole);
	snprintf(header + 483, 12, "%011zo", file->content.len);
	tar_sum(header);
}

void tar_end(struct tarball *tar)
{
	static const char zeros[2 * TAR_BLOCK];

	if (tar->bytes.limit == 0)
		tar->bytes = BUF_INIT(TAR_MAX);
	append(&tar->bytes, zeros, sizeof(zeros));
}

void tar_sample(struct tarball *tar)
{
	char name[32], text[32];

	tar_dir(tar, "dir/");
	tar_file(tar, "empty", "", 0);
	for (int i = 0; i < SMALL_FILES; i++) {
		snprintf(name, sizeof(name), "dir/%d", i);
		snprintf(text, sizeof(text), "this is file %d", i);
		tar_file(tar, name, text, strlen(text));
	}
	tar_file_of(tar, "text", TEXT, 6);
	tar_sparse(tar, "sparse", 100001, 54321);
	tar_file_of(tar, "noise", NOISE, 4);
	tar_link(tar, TAR_SYMLINK, "symlink", "text");
	tar_link(tar, TAR_HARDLINK, "hardlink", "noise");
	tar_file_of(tar, "zeros", ZEROS, 5);
	tar_file(tar, "last", "the last one", 12);
	tar_end(tar);
}

static void pack_members(enum packing packing, const struct buf *in,
    size_t piece, struct buf *out)
{
	for (size_t done = 0, n; done < in->len; done += n) {
		n = in->len - done < piece ? in->len - done : piece;
		if (packing == GZIP_MANY || packing == GZIP_ONE)
			gzip(6, in->data + done, n, out);
		else
			zstd_frame(in->data + done, n, out);
	}
}

void pack(enum packing packing, const struct buf *in, struct buf *out)
{
	*out = BUF_INIT(TAR_MAX);
	switch (packing) {
	case PLAIN:
		append(out, in->data, in->len);
		break;
	case GZIP_ONE:
	case ZSTD_ONE:
		pack_members(packing, in, in->len, out);
		break;
	case GZIP_MANY:
	case ZSTD_MANY:
	case PACKINGS:
		pack_members(packing, in, 300 << 10, out);
		break;
	}
}
