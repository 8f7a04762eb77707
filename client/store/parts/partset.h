/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all users of the parts of one blob in this process share: which blocks
 * are there, in which file, and which thread fetches others.
 */
#ifndef STORE_PARTSET_H
#define STORE_PARTSET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/task.h"
#include "blob/openfile.h"
#include "blocks.h"
#include "cache/shared.h"
#include "store/parts.h"
#include "transfer/sources.h"
#include "transfer/unkept.h"

struct flight;

struct parts {
	struct shared shared;
	struct store *store;
	struct digest digest;
	uint64_t size;
	char name[DIGEST_TEXT_SIZE]; /* of the digest, for messages */
	char *whole_path;
	char *parts_path;
	struct sources sources;
	atomic_uint opened;   /* by users; flights have only a reference */
	struct unkept unkept; /* for what the disk has no room for */

	struct monitor monitor;
	/* In the monitor. */
	struct openfile *file; /* where the bytes are; NULL: nowhere yet */
	bool whole;            /* it is the whole blob */
	struct blocks there;   /* else: what can be read from it */
	LIST_HEAD(, flight) flights;
};

/* The parts of that digest and size, with what is on the disk of them. */
int partset_find(struct store *store, const struct digest *digest,
    uint64_t size, struct parts **out, struct err *err);
struct parts *partset_get(struct parts *parts);
void partset_put(struct parts *parts);

DEFINE_CLEANUP(struct parts *, partset_put);

/* Reads from the whole blob from now on, if there is one: 1, or 0. */
int partset_take_whole(struct parts *parts, struct err *err);

/* The same where a source has the blob as a file, which is not looked into. */
int partset_take_in_place(struct parts *parts, struct err *err);

/* The file for the parts, locked, made where there is none: 1, or 0 where the
 * whole blob is there now. */
int partset_open(struct parts *parts, struct openfile **out, struct err *err);

/* In the monitor: they were written to that file. */
void partset_publish(struct parts *parts, const struct openfile *file,
    uint64_t first, uint64_t last);

/* Removes the whole blob, if that is what is read, because it is damaged: 1, or
 * 0 where parts are read. */
int partset_drop_whole(struct parts *parts);

#endif
