/* SPDX-License-Identifier: Apache-2.0 */
/* What the table of nodes consists of. */
#ifndef FS_NODE_TABLE_H
#define FS_NODE_TABLE_H

#include <pthread.h>

#include "node.h"

/* A few layers for each image that is looked at. */
enum { PLACE_BUCKETS = 256 }; /* a power of two */

struct node_table {
	pthread_mutex_t lock;
	struct node **buckets; /* under lock, as all that follows */
	size_t bucket_count;   /* a power of two */
	size_t count;
	struct node *rekeyed; /* whose number is not that of their key; few */
	struct place *places[PLACE_BUCKETS];
};

#endif
