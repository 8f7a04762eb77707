/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount without a kernel: its sources, each a registry in memory, and its
 * tables. A test calls the views' operations as fs/kernel does.
 */
#ifndef TESTS_UNIT_MOUNT_FIXTURE_H
#define TESTS_UNIT_MOUNT_FIXTURE_H

#include "images_fixture.h"
#include "node/mount.h"
#include "node/nodes.h"
#include "registry/source.h"
#include "registry_double.h"

enum { MOUNT_SOURCES_MAX = 2 };

/* One source, with the registry that it shows. */
struct mount_fixture_source {
	struct mount_source source;
	struct registry_double *server;
	struct creds *creds;
	struct source *from;
	char name[16];
};

struct mount_fixture {
	struct scratch dir;
	struct mount mount;
	struct http *http;
	struct store *store;
	struct images_shared *shared;
	struct mount_fixture_source sources[MOUNT_SOURCES_MAX];
	unsigned count;
	struct err err; /* of the last call */
};

/* With one source it is the mount point, with more they are directories at it,
 * "one" and "two". Fails the test where that does not work. */
void mount_fixture_open(struct mount_fixture *f, unsigned count);
void mount_fixture_close(struct mount_fixture *f);

/* Ends the test with the message if the call has failed. */
#define must(call) \
	do { \
		f->err = (struct err)ERR_INIT; \
		if ((call) < 0) \
			fail_msg("%s", f->err.msg); \
	} while (0)

/* The directory of a repository of a source. Held. */
struct node *fixture_repository(struct mount_fixture *f, unsigned source,
    const char *repository);

/* A file of that name in a directory is opened as open(2) does with
 * O_CREAT | O_WRONLY | O_TRUNC, is written and is closed. What its last step
 * returned, with f->err. */
int fixture_write(struct mount_fixture *f, struct node *dir, const char *name,
    const void *data, size_t len);

/* Appends a tar of a root file system with one file of that content. */
void fixture_rootfs(struct buf *out, const char *content);

/* The number that a directory lists for a name; 0: it does not list it. */
uint64_t fixture_listed(struct mount_fixture *f, struct node *dir,
    const char *name);

#endif
