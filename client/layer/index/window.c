/* SPDX-License-Identifier: Apache-2.0 */
/* The windows of checkpoints. */
#include "window.h"

#include <errno.h>
#include <zstd.h>

/* Higher levels take longer than the inflating, and gain little. */
enum { LEVEL = 1 };

int window_pack(const void *window, size_t len, struct buf *out,
    struct err *err)
{
	size_t room = ZSTD_compressBound(len);
	size_t packed;
	int r = buf_reserve(out, room, err);

	if (r < 0)
		return r;
	packed = ZSTD_compress(out->data + out->len, room, window, len, LEVEL);
	if (ZSTD_isError(packed))
		return err_set(err, ENOMEM, "cannot pack a window: %s",
		    ZSTD_getErrorName(packed));
	out->len += packed;
	out->data[out->len] = '\0';
	return 0;
}

int window_unpack(const void *packed, size_t packed_len, void *out, size_t size,
    struct err *err)
{
	size_t len = ZSTD_decompress(out, size, packed, packed_len);

	if (ZSTD_isError(len))
		return err_set(err, EBADMSG, "a window of an index: %s",
		    ZSTD_getErrorName(len));
	return (int)len;
}
