/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of nodes, and the numbers that they give. */
#include <string.h>

#include "node.h"
#include "oci/digest.h"

static const uint64_t TABLE_BIT = 1ULL << 63;
/* Of all but manifests and blobs. */
static const uint64_t LATE_BIT = 1ULL << 62;
/* Of archives: all but 40 bits. */
static const uint64_t LAST_BITS = ~0ULL << 40;

static bool begins_with(const char *key, const char *kind)
{
	return strncmp(key, kind, strlen(kind)) == 0;
}

/* cp copies a directory in the order of these numbers. Of an image that is to
 * be the manifests, by which the copy is known (mirror.h), then directories,
 * and the archive, which makes the copy, at the end. */
static uint64_t in_order(const char *key, uint64_t number)
{
	if (begins_with(key, "archive:"))
		return number | LAST_BITS;
	if (begins_with(key, "manifest:") || begins_with(key, "blob:"))
		return (number | TABLE_BIT) & ~LATE_BIT;
	return number | TABLE_BIT | LATE_BIT;
}

uint64_t node_number(const char *key)
{
	struct digest digest;
	struct err err = ERR_INIT;
	uint64_t number = 0;

	/* SHA-256, so that nobody can make names that collide. */
	if (digest_of(DIGEST_SHA256, key, strlen(key), &digest, &err) == 0)
		memcpy(&number, digest.bytes, sizeof(number));
	return in_order(key, number);
}

bool node_is_below(const struct node *node, const struct node *dir)
{
	size_t len = dir->key ? strlen(dir->key) : 0;

	return len > 0 && node->key && strncmp(node->key, dir->key, len) == 0 &&
	       node->key[len] == '/';
}

bool node_is_in(const struct node *node, const struct node *dir)
{
	return node_is_below(node, dir) &&
	       !strchr(node->key + strlen(dir->key) + 1, '/');
}

bool node_is_located(uint64_t ino)
{
	return !(ino & TABLE_BIT) && ino != NODE_ROOT;
}
