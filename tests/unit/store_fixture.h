/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the store: a directory, blobs of known bytes, and an origin
 * that sends them as slowly, as wrongly and as incompletely as a test asks for.
 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/lock.h"
#include "oci/digest.h"
#include "scratch.h"
#include "store/store.h"

#define UNUSED __attribute__((unused))

enum {
	KIB = 1024,
	MIB = 1024 * 1024,
	BLOB_SIZE = 1536 * 1024 + 17, /* large enough to have checksums */
	SUMS_SIZE = 13 * 8 + 24, /* of them: one each 128 KiB, and an end */
	PIECE = 16 * 1024,
	CALLS_MAX = 16,
	NEVER = -1,
};

static const uint64_t PLENTY = 1ULL << 30;

struct content {
	unsigned char *bytes;
	size_t size;
	struct digest digest;
};

/* Its bytes follow from seed. */
void content_init(struct content *content, size_t size, unsigned seed);

void content_release(struct content *content);

struct origin {
	const unsigned char *bytes;
	size_t size;      /* that many are sent, whatever the blob's size is */
	long break_at;    /* the connection breaks there, once */
	unsigned failing; /* so many calls fail before the first byte */
	unsigned failing_then; /* and so many when it broke */
	int failure;           /* with that errno */
	bool to_end;           /* it sends on to its end whatever it is asked */
	/* Or NULL: it sends these once it is told that bytes were wrong. */
	const unsigned char *others;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under lock. */
	size_t gate; /* no byte from here on is sent until it is raised */
	unsigned calls;
	unsigned returned;
	unsigned released;
	uint64_t offsets[CALLS_MAX]; /* of the calls */
	uint64_t lens[CALLS_MAX];
	uint64_t sent; /* bytes that a sink was given */
};

void origin_init(struct origin *origin, const struct content *content);

void origin_open_gate(struct origin *origin, size_t gate);

/* Until it has been called so often. */
void origin_await_calls(struct origin *origin, unsigned calls);

/* Until so many calls have ended. */
void origin_await_returns(struct origin *origin, unsigned calls);

int origin_fetch(void *arg, const struct digest *digest, uint64_t offset,
    uint64_t len, struct sink *sink, struct err *err);

bool origin_wrong(void *arg, const struct digest *digest);

void origin_release(void *arg);

/* A directory of its own for each test. */
struct fixture {
	char dir[64];
	struct store *store;
	struct content content;
	struct origin origin;
};

void store_fixture_open_limited(struct fixture *f, uint64_t limit);

void store_fixture_open(struct fixture *f);

void store_fixture_close(struct fixture *f);

/* For tests that open the store themselves. */
int store_setup_closed(void **state);

int store_setup(void **state);

int store_teardown(void **state);

#define STORE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
#define CLOSED_TEST(name) \
	cmocka_unit_test_setup_teardown(name, store_setup_closed, \
	    store_teardown)

struct blob *get_from(struct store *store, const struct content *content,
    struct origin *origin);

struct blob *get(struct fixture *f);

/* Reads all of the blob in pieces: 0 if every byte is right, else -errno. */
int read_all(struct blob *blob, const struct content *content, struct err *err);

void assert_reads_all(struct blob *blob, const struct content *content);

/* The result of a read of one byte. */
int read_at(struct blob *blob, uint64_t off, struct err *err);

/* Where the blob is when it is whole, and while it is not. */
const char *whole_path(const struct fixture *f, char out[512]);

const char *partial_path(const struct fixture *f, char out[512]);

bool file_exists(const char *path);

/* One bit is wrong: the disk forgot it. */
void flip_at(const char *path, off_t off);

/* What an interrupted run may have left. */
void write_file(const char *path, const void *data, size_t len);

void write_partial(const struct fixture *f, const void *data, size_t len);

#endif
