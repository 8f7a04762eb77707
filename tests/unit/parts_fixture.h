/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of parts of blobs: reads of them, also in threads. */
#ifndef TESTS_PARTS_FIXTURE_H
#define TESTS_PARTS_FIXTURE_H

#include "base/task.h"
#include "store/parts.h"
#include "store_fixture.h"

enum { BLOCK = PARTS_BLOCK };

struct parts *parts_from(struct store *store, const struct content *content,
    struct origin *origin);

struct parts *get_parts(struct fixture *f);

/* 0 if they are the content's bytes. */
int read_part(struct parts *parts, const struct content *content, uint64_t off,
    size_t len, uint64_t window, struct err *err);

void assert_reads(struct fixture *f, struct parts *parts, uint64_t off,
    size_t len, uint64_t window);

/* The n-th call of the origin, from 0, was for this. */
void assert_asked(const struct fixture *f, unsigned n, uint64_t offset,
    uint64_t len);

const char *parts_path(const struct fixture *f, char out[512]);

/* A read in a thread of its own. */
struct reader {
	pthread_t thread;
	struct task task;
	pthread_barrier_t met;
	struct parts *parts;
	const struct content *content;
	uint64_t off;
	size_t len;
	uint64_t window;
	int result;
	struct err err;
};

void reader_start(struct reader *reader, struct fixture *f, struct parts *parts,
    uint64_t off, size_t len, uint64_t window);

/* Waits for the read's result. */
int reader_end(struct reader *reader);

#endif
