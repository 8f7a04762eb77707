/* SPDX-License-Identifier: Apache-2.0 */
/* Archives: what is said to be in one is, however it was written. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "archive/contents.h"
#include "base/file.h"
#include "fuzz.h"

enum { PIECE = 97 };

static void check_entry(const struct archive_reader *reader,
    const struct archive_entry *entry)
{
	uint64_t size = archive_reader_size(reader);

	if (!entry->name[0] || entry->size > size ||
	    entry->offset > size - entry->size)
		abort();
}

static void check_contents(const struct archive_reader *reader,
    const struct archive_contents *contents)
{
	for (size_t i = 0; i < contents->layer_count; i++)
		check_entry(reader, &contents->layers[i].entry);
	for (size_t i = 0; i < contents->blob_count; i++)
		check_entry(reader, &contents->blobs[i].entry);
	switch (contents->kind) {
	case ARCHIVE_DOCKER:
		if (!contents->config ||
		    contents->config->diff_id_count != contents->layer_count)
			abort();
		break;
	case ARCHIVE_OCI:
		if (contents->manifest_count == 0)
			abort();
		break;
	case ARCHIVE_ROOTFS:
		if (contents->rootfs_size == 0)
			abort();
		break;
	}
}

static void count_layer(void *arg, const struct archive_entry *entry)
{
	unsigned *layers = arg;

	if (entry->size == 0)
		abort();
	++*layers;
}

/* What came of it: a kind of contents, or an error. */
static int read_archive(int fd, const uint8_t *data, size_t size, size_t piece,
    unsigned *layers)
{
	struct archive_reader_options options = {.fd = fd,
	    .temp_dir = "/tmp",
	    .layer = count_layer,
	    .arg = layers};
	CLEANUP(archive_reader_free_p) struct archive_reader *reader = NULL;
	CLEANUP(archive_contents_free_p)
	struct archive_contents *contents = NULL;
	const struct archive_wanted wanted = {.repository = "app",
	    .tag = "1.0"};
	struct err err = ERR_INIT;
	int r = 0;

	if (archive_reader_new(&options, &reader, &err) < 0)
		abort();
	for (size_t done = 0; r >= 0 && done < size; done += piece) {
		size_t n = size - done < piece ? size - done : piece;

		r = archive_reader_feed(reader, data + done, n, &err);
	}
	if (r >= 0)
		r = archive_reader_end(reader, true, &err);
	if (r == 1)
		r = archive_contents_read(reader, &wanted, &contents, &err);
	if (r < 0 && (r != -err.code || !err.msg[0]))
		abort();
	if (!contents)
		return r;
	check_contents(reader, contents);
	return (int)contents->kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FD int fd = memfd_create("archive", MFD_CLOEXEC);
	unsigned whole_layers = 0, piece_layers = 0;
	struct err err = ERR_INIT;
	int whole, pieces;

	if (fd < 0 || file_pwrite(fd, data, size, 0, &err) < 0)
		abort();
	whole = read_archive(fd, data, size, size + 1, &whole_layers);
	pieces = read_archive(fd, data, size, PIECE, &piece_layers);
	if (whole != pieces || (whole >= 0 && whole_layers != piece_layers))
		abort();
	return 0;
}
