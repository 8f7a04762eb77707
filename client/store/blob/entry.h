/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all users of one blob in this process share: where its bytes are, how
 * many have arrived, and who fetches them. Entries exist while somebody has the
 * blob open or a job works on it.
 *
 *	idle ── a read waits ──> fetching ── the digest is right ──> whole
 *	  ^                         │                                 │
 *	  ├── failed or abandoned ──┘                                 │
 *	  └───────────── a block was read that is damaged ────────────┘
 */
#ifndef STORE_ENTRY_H
#define STORE_ENTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/task.h"
#include "cache/shared.h"
#include "openfile.h"
#include "transfer/sources.h"
#include "transfer/unkept.h"

struct entry {
	struct shared shared;
	struct store *store;
	struct digest digest;
	uint64_t size;
	char name[DIGEST_TEXT_SIZE]; /* of the digest, for messages */
	char *whole_path;
	char *partial_path;
	struct sources sources;
	atomic_uint opened;     /* struct blob that have it */
	atomic_bool unkeepable; /* the disk had taken it, and then did not */

	struct monitor monitor;
	/* In the monitor. */
	struct openfile *file; /* where the bytes are; NULL: in none */
	/* NULL where the blob is kept. It passes, or `whole` says that it did;
	 * then it is constant. */
	struct unkept *unkept;
	struct unkept *retired; /* those that it had before */
	uint64_t epoch;         /* the number of that file in the store */
	uint64_t right;         /* that of the last one that was the blob */
	uint64_t have;          /* bytes of it that may be read */
	uint64_t wanted;        /* the nearest end that a reader waits for */
	uint64_t asked;         /* the farthest that one has asked for */
	bool whole;             /* all of it, and the digest is right */
	bool fetching;
	bool hurried;       /* what passes: a reader waits for its end */
	unsigned failures;  /* counts the fetches that failed */
	struct err failure; /* of the last of them */
};

/* The entry of that digest and size, opened if the blob is on the disk. */
int entry_find(struct store *store, const struct digest *digest, uint64_t size,
    struct entry **out, struct err *err);

/* The file of a blob that was just verified and is not found by its name yet,
 * which takes as long as the disk does: 1, or 0. */
int entry_settling(struct store *store, const struct digest *digest,
    uint64_t size, struct openfile **out, struct err *err);

struct entry *entry_get(struct entry *entry);
void entry_put(struct entry *entry);

DEFINE_CLEANUP(struct entry *, entry_put);

/* Takes one more source, which is released at once where it is not needed. */
void entry_add_source(struct entry *entry, const struct store_source *source);

/* For the fetch: the bytes are in file (taken) from now on. If it is another
 * one, none of them yet, and who was served bytes of the other will be told. */
void entry_switch(struct entry *entry, struct openfile *file);
/* The first `have` bytes are there. */
void entry_publish(struct entry *entry, uint64_t have);
/* The blob passes from now on (unkept is taken). same: what there was in its
 * file has passed already. */
void entry_forgo(struct entry *entry, struct unkept *unkept, bool same);
/* The next bytes pass, as slowly as readers follow, or all at once where none
 * does: false then. */
bool entry_pass(struct entry *entry, const void *data, size_t len, uint64_t off,
    bool wait);
/* The fetch is over: the file is the blob, with checksums (taken; NULL: it has
 * them, or needs none). */
void entry_complete(struct entry *entry, struct sums *sums);
/* The same of a blob that passed. */
void entry_passed(struct entry *entry);
/* The blob that passed is to be kept: the next read fetches it. */
void entry_keep(struct entry *entry);
/* It is over, and those who wait fail with err, or fetch again if it is NULL.
 * Nothing is readable any more. */
void entry_fail(struct entry *entry, const struct err *err);

/* The file, which was the blob, is damaged, as `why` says: it is removed, if it
 * can be, and the next read fetches it again. What was read of it before was
 * right. */
void entry_drop(struct entry *entry, struct openfile *file,
    const struct err *why);

#endif
