/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a pax extended header: POSIX.1 pax, "pax Header Block". */
#ifndef TAR_PAX_H
#define TAR_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What the records say about the next entry, where they say something. */
struct pax {
	const char *name; /* NULL if not said; in the parsed text */
	const char *link;
	const char *sparse_name; /* wins over all other names */
	bool has_size, has_mtime, has_uid, has_gid;
	int64_t size, mtime, uid, gid;
	uint32_t mtime_nanos;
	bool is_sparse; /* GNU's sparse files, in any of three versions */
};

/* Parses text in place: values get a NUL behind them. -EINVAL. */
int pax_parse(char *text, size_t len, struct pax *out, struct err *err);

#endif
