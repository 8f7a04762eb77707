/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tars written as the trees that they are: what comes of one is a tar that
 * every engine unpacks, and written once more it stays as it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "fuzz.h"
#include "layer/plain.h"
#include "tar/walker.h"

/* A few bytes can say that a file is as large as it likes. */
enum { WRITTEN_MAX = 4 << 20 };

struct written {
	struct sink sink;
	struct buf bytes;
};

static int keep(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct written *written = (struct written *)sink;

	return buf_add(&written->bytes, data, len, err);
}

static int take_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	(void)err;
	layer_plain_add(arg, entry);
	return 0;
}

/* The tree of a whole tar, and whether its types are Go's; or NULL. */
static struct layer_plain *read_tar(const void *data, size_t size,
    bool *is_plain)
{
	CLEANUP(layer_plain_free_p) struct layer_plain *plain = NULL;
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct tar_handler handler = {.entry = take_entry};
	struct err err = ERR_INIT;

	if (layer_plain_new("/tmp", &plain, &err) < 0)
		abort();
	handler.arg = plain;
	if (tar_walker_new(&handler, &walker, &err) < 0)
		abort();
	if (tar_walker_feed(walker, data, size, NULL, &err) < 0 ||
	    tar_walker_lacks(walker) != TAR_LACKS_NOTHING)
		return NULL;
	*is_plain = tar_walker_is_plain(walker);
	return steal(&plain);
}

/* False where it cannot be written. */
static bool write_tar(struct layer_plain *plain, const void *data, size_t size,
    struct buf *out)
{
	AUTO_FD int fd = memfd_create("tar", MFD_CLOEXEC);
	struct written written = {.sink = {keep},
	    .bytes = BUF_INIT(WRITTEN_MAX)};
	struct err err = ERR_INIT;
	int r;

	if (fd < 0 || file_pwrite(fd, data, size, 0, &err) < 0)
		abort();
	r = layer_plain_write(plain, fd, 0, &written.sink, &err);
	*out = written.bytes;
	if (r < 0 && r != -EINVAL && r != -EFBIG)
		abort();
	return r == 0;
}

static void check_again(const struct buf *tar)
{
	CLEANUP(layer_plain_free_p) struct layer_plain *plain = NULL;
	AUTO_BUF struct buf again = {0};
	struct err err = ERR_INIT;
	bool is_plain;

	plain = read_tar(tar->data, tar->len, &is_plain);
	if (!plain || !is_plain || layer_plain_check(plain, true, &err) != 0)
		abort();
	if (!write_tar(plain, tar->data, tar->len, &again))
		abort();
	if (again.len != tar->len ||
	    memcmp(again.data, tar->data, tar->len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(layer_plain_free_p) struct layer_plain *plain = NULL;
	AUTO_BUF struct buf written = {0};
	struct err err = ERR_INIT;
	bool is_plain;

	plain = read_tar(data, size, &is_plain);
	if (!plain || layer_plain_check(plain, true, &err) < 0)
		return 0;
	if (write_tar(plain, data, size, &written))
		check_again(&written);
	return 0;
}
