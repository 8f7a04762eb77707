/* SPDX-License-Identifier: Apache-2.0 */
/* The formats that are decoded here. */
#include "format.h"

#include <assert.h>

const struct format *format_of(enum compression compression)
{
	switch (compression) {
	case COMPRESSION_GZIP:
		return &format_gzip;
	case COMPRESSION_ZSTD:
		return &format_zstd;
	case COMPRESSION_BZIP2:
		return &format_bzip2;
	case COMPRESSION_XZ:
		return &format_xz;
	case COMPRESSION_NONE:
		break;
	}
	assert(!"a stream that is compressed");
	return NULL;
}
