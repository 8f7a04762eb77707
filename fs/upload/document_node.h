/* SPDX-License-Identifier: Apache-2.0 */
/* What document.c (the nodes) and document_view.c (what is done with them)
 * share. */
#ifndef FS_DOCUMENT_NODE_H
#define FS_DOCUMENT_NODE_H

#include <pthread.h>

#include "document.h"
#include "written_file.h"

enum {
	READERS_MAX = 16, /* the last ones are remembered */
};

struct document_node {
	struct node node;
	struct write_intent intent;
	struct node *content;
	uint64_t size;   /* where there is no content */
	struct err lost; /* why it cannot be read; code 0: it can */
	pthread_mutex_t lock;
	/* What is being written into it now, whose size is the file's for those
	 * who write: tools look whether that is empty. Under lock; cleared by
	 * its last close. */
	struct written_file *writer;
	struct document_file *writing; /* those who do; under lock */
	/* Threads that opened it to read it; under lock. */
	pid_t readers[READERS_MAX];
	unsigned reads;
};

/* What an open descriptor has: one or the other. */
struct document_file {
	struct written_file *written;
	struct handle content;
	pid_t pid;                  /* that opened it to write */
	struct document_file *next; /* in the document's list of those */
};

/* The document of a NODE_DOCUMENT, which the node is. */
struct document_node *to_document(struct node *node);

/* As in struct view_ops. */
void document_free(struct node *node);
int document_image(struct node *node, struct image **out, struct err *err);

#endif
