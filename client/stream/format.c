/* SPDX-License-Identifier: Apache-2.0 */
/* The formats that are decoded here. */
#include "format.h"

#include <errno.h>

int format_of(enum compression compression, const struct format **format,
    struct err *err)
{
	switch (compression) {
	case COMPRESSION_GZIP:
		*format = &format_gzip;
		return 0;
	case COMPRESSION_ZSTD:
		*format = &format_zstd;
		return 0;
	case COMPRESSION_NONE:
	case COMPRESSION_BZIP2:
	case COMPRESSION_XZ:
		break;
	}
	return err_set(err, EOPNOTSUPP,
	    "%s data is not read here, only gzip and zstd",
	    compression_name(compression));
}
