/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image layouts on a disk as a source of images (source/source.h): image-spec
 * image-layout.md. A directory is one layout, or a tree of them.
 *
 * One layout is a repository: the plain tags of its index.json are its tags,
 * and each full reference there (oci/layout_index.h) is a repository below it.
 * In a tree a layout is the repository that its path from the top is called;
 * what is put into a repository that is not there makes a layout.
 *
 * Blobs are read where they lie. Each file is written whole, synced, and then
 * given its name; index.json goes last. Who changes one holds a lock (flock(2)
 * of the file oci-layout), which other mounts respect and most tools do not.
 * What such a tool has written before is seen, and stays. It reads index.json
 * when it begins, and writes it at its end: what was put here between the two
 * is not in it any more, which no lock of ours can prevent.
 */
#ifndef LAYOUT_LAYOUT_H
#define LAYOUT_LAYOUT_H

#include "source/source.h"

/*
 * Opens dir, which may have nothing but directories: a tree of no layout yet. A
 * call waits at most `timeout` seconds for other programs that hold a lock
 * (-EBUSY) or are about to write a file (-EIO).
 * To be closed with source_close(). -ENOTDIR; -EINVAL with a sentence for what
 * is neither a layout nor a tree of them, or is a layout that cannot be read;
 * what else open(2) says.
 */
int layout_open(const char *dir, unsigned timeout, struct source **out,
    struct err *err);

/* The repository that the layout is, "" of a tree. Lives as long as the source,
 * which is one of layout_open(). */
const char *layout_repository(const struct source *source);

#endif
