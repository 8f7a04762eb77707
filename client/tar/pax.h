/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a pax extended header: POSIX.1 pax, "pax Header Block". */
#ifndef TAR_PAX_H
#define TAR_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sparse.h"
#include "tar/walker.h"

/* What GNU's records say about a sparse file. */
struct pax_sparse {
	bool present;     /* there is one, be it known or not */
	const char *name; /* wins over all other names */
	const char *major, *minor;
	const char *map;    /* version 0.1 */
	struct buf numbers; /* version 0.0: the same as version 0.1 has it */
	bool is_offset;     /* the last of them is one */
	bool has_size, has_real_size, has_count;
	int64_t size, real_size; /* of the file */
	int64_t count;           /* of extents */
};

/* What the records say about the next entry, where they say something. */
struct pax {
	const char *name; /* NULL if not said; in the parsed text */
	const char *link;
	bool has_size, has_mtime, has_uid, has_gid;
	int64_t size, mtime, uid, gid;
	uint32_t mtime_nanos;
	struct tar_time atime, ctime;
	struct pax_sparse sparse;
	struct buf xattrs; /* of struct tar_xattr, into the parsed text */
};

/* The limits are past what a text of TAR_EXTENDED_MAX can ask for. */
#define PAX_INIT \
	((struct pax){ \
	    .sparse.numbers = BUF_INIT(TAR_EXTENDED_MAX), \
	    .xattrs = BUF_INIT(2 * TAR_EXTENDED_MAX), \
	})

/* Parses text in place: values get a NUL after them. `out` was PAX_INIT;
 * release it in any case. -EINVAL. */
int pax_parse(char *text, size_t len, struct pax *out, struct err *err);

/* Frees; it is PAX_INIT then. */
void pax_release(struct pax *pax);

/* How the file is sparse, as Go's archive/tar has it; not SPARSE_GNU. */
enum sparse_version pax_sparse_version(const struct pax *pax);

/* SPARSE_PAX_0: the map as text, "" if there is none. */
const char *pax_sparse_map(const struct pax *pax);

#endif
