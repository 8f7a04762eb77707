/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of pushes: a registry in memory, a store in a directory of its
 * own, and archives made of random layers.
 */
#ifndef TESTS_PUSH_FIXTURE_H
#define TESTS_PUSH_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "image/images.h"
#include "image/layers.h"
#include "image/push.h"
#include "image/spool.h"
#include "registry/source.h"
#include "registry_double.h"
#include "scratch.h"
#include "stream/encoder.h"
#include "tar/header.h"

enum {
	ARCHIVE_MAX = 64 << 20,
	LAYER_SIZE = 700 * 1000, /* several pieces, and no multiple of one */
	WRITE_SIZE = 100 * 1000,
};

struct fixture {
	char dir[64];
	struct registry_double *server;
	struct http *http;
	struct creds *creds;
	struct source *source;
	struct store *store;
	struct images_shared *shared;
	struct images *images;

	struct spool *spool;
	struct push *push;
	struct err err; /* of the last call */
	struct buf archive;
};

/* Ends the test with the message if the call has failed. */
#define must(call) \
	do { \
		f->err = (struct err)ERR_INIT; \
		if ((call) < 0) \
			fail_msg("%s", f->err.msg); \
	} while (0)

void open_images(struct fixture *f);

int push_setup(void **state);

void close_push(struct fixture *f);

int push_teardown(void **state);

#define PUSH_TEST(name) \
	cmocka_unit_test_setup_teardown(name, push_setup, push_teardown)

/* --- archives --- */

void add_bytes(struct buf *out, const void *data, size_t len);

void add_zeros(struct buf *out, size_t len);

void add_tar_file(struct buf *out, const char *name, const void *data,
    size_t len);

void sha256_of(const void *data, size_t len, struct digest *out);

/* A layer: a tar with a file of bytes that follow from seed, of few different
 * values so that they can be compressed. */
struct layer {
	struct buf tar;
	struct buf packed; /* how it lies in archives, unless empty: the tar */
	struct digest diff_id;
	char hex[DIGEST_TEXT_SIZE];
};

/* Appends the bytes as one gzip file. */
void add_gzip(struct fixture *f, struct buf *out, const void *data, size_t len);

/* Compresses a layer as no push does: in two uneven halves. */
void pack_layer(struct fixture *f, struct layer *layer);

/* Layers of a test; `count` of them. */
struct layers {
	struct layer list[4];
	size_t count;
};

struct layers make_layers(size_t count, uint32_t seed);

void layers_release(struct layers *layers);

#define AUTO_LAYERS CLEANUP(layers_release)

#define must_add(...) \
	do { \
		struct err err_ = ERR_INIT; \
		if (buf_addf(__VA_ARGS__) < 0) \
			fail_msg("%s", err_.msg); \
	} while (0)

void print_config(struct buf *out, const struct layers *layers);

/* One image of manifest.json: name_format with a layer's number or digest. */
void print_item(struct buf *out, const struct layers *layers,
    const char *config, const char *repo_tag, bool by_digest);

void add_layers(struct buf *out, const struct layers *layers, bool by_digest);

/* A docker-archive, as skopeo (named by digest) or old docker writes it. */
void make_docker(struct fixture *f, const struct layers *layers,
    bool by_digest);

/* --- writing --- */

void begin_push(struct fixture *f, const char *repository, const char *tag);

/* Bytes [from, to) of the archive, in one write. */
int write_part(struct fixture *f, size_t from, size_t to);

/* The same in writes of a usual size; stops at a failure. */
int write_range(struct fixture *f, size_t from, size_t to);

/* All of the archive as REPOSITORY:TAG. */
int push_archive(struct fixture *f, const char *repository, const char *tag);

int end_push(struct fixture *f);

#define assert_fails(call, code_, part) \
	do { \
		int r_ = (call); \
		if (r_ != -(code_) || !strstr(f->err.msg, (part))) \
			fail_msg("got %d: %s", r_, f->err.msg); \
	} while (0)

#define assert_pushed(call) \
	do { \
		int r_ = (call); \
		if (r_ != 1) \
			fail_msg("got %d: %s", r_, f->err.msg); \
	} while (0)

/* --- what has become of it --- */

struct collector {
	struct sink sink;
	struct buf data;
};

/* The tag names an image of these layers and of that media type. */
void assert_image(struct fixture *f, const char *repository, const char *tag,
    const struct layers *layers, const char *media_type);

#endif
