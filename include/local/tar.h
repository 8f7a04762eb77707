/* SPDX-License-Identifier: Apache-2.0 */
/* A directory tree as a tar. */
#ifndef LOCAL_TAR_H
#define LOCAL_TAR_H

#include "local/local.h"
#include "stream/sink.h"

struct local_tar_options {
	const char *left_out; /* a name in dir, or NULL */
	bool with_root;       /* an entry "./" for dir itself */
	int64_t latest;       /* the time of what is younger */
};

/*
 * Writes what is in dir, which is frozen: sorted by name, a directory before
 * what is in it, of a file with several names the first as the file and the
 * others as links to it. Sockets are left out, no tar has them. Equal trees
 * give equal tars: times are whole seconds, and where a file lies on the disk,
 * when it was read and made, and in which order, play no part.
 *
 * -ENAMETOOLONG, -EINTR, and what the disk or the sink says.
 */
int local_tar(struct local_inode *dir, const struct local_tar_options *options,
    struct sink *sink, struct err *err);

#endif
