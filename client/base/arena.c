/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: a list of chunks, of which the first is being filled. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

/* Chunks double from the first to the second, so small arenas stay small. */
#define FIRST_CHUNK ((size_t)1024)
#define LARGEST_CHUNK ((size_t)256 * 1024)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of data */
	size_t used;
	alignas(max_align_t) char data[];
};

static struct arena_chunk *chunk_new(size_t size)
{
	struct arena_chunk *chunk;

	if (size > SIZE_MAX - sizeof(*chunk))
		return NULL;
	chunk = calloc(1, sizeof(*chunk) + size);
	if (chunk)
		chunk->size = size;
	return chunk;
}

static size_t next_size(const struct arena_chunk *head)
{
	if (!head)
		return FIRST_CHUNK;
	if (head->size >= LARGEST_CHUNK / 2)
		return LARGEST_CHUNK;
	return head->size * 2;
}

/*
 * A chunk with room for size bytes. One that is made for a single large piece
 * goes after the head, whose free space would be lost otherwise.
 */
static struct arena_chunk *chunk_for(struct arena *arena, size_t size)
{
	struct arena_chunk *head = arena->chunks;
	size_t usual = next_size(head);
	struct arena_chunk *chunk;

	if (head && head->size - head->used >= size)
		return head;
	chunk = chunk_new(size > usual ? size : usual);
	if (!chunk)
		return NULL;
	if (head && size > usual) {
		chunk->next = head->next;
		head->next = chunk;
	} else {
		chunk->next = head;
		arena->chunks = chunk;
	}
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct arena_chunk *chunk;
	char *piece;

	if (size > SIZE_MAX - align)
		return NULL;
	/* Even an empty piece has an address of its own. */
	size = size ? (size + align - 1) / align * align : align;
	chunk = chunk_for(arena, size);
	if (!chunk)
		return NULL;
	piece = chunk->data + chunk->used;
	chunk->used += size;
	return piece;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return arena_alloc(arena, total);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = len < SIZE_MAX ? arena_alloc(arena, len + 1) : NULL;

	if (copy && len)
		memcpy(copy, text, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

void arena_release(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
}
