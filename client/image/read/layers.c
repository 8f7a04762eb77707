/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known layers: a note for each diff_id and for each blob, of lines
 *
 *	DIGEST SIZE MEDIA-TYPE REPOSITORY [NAME=VALUE …]
 *
 * with the latest first; the pairs are annotations, and `diff_id`. Several
 * programs may write one at the same time; what one of them then loses is
 * learned again.
 */
#include "image/layers.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"

static const char NOTE_KIND[] = "layers";

enum {
	/* Three times that, a dot and a digest are the name of a file. A host
	 * is shorter mostly, a directory need not be. */
	SOURCE_TEXT_MAX = 40,
	PAIRS_MAX_BYTES =
	    (LAYER_ANNOTATIONS_MAX + 1) * (64 + LAYER_ANNOTATION_SIZE),
	LINE_MAX_BYTES =
	    DIGEST_TEXT_SIZE + 20 + 128 + REPOSITORY_MAX + 4 + PAIRS_MAX_BYTES,
};

static const char DIFF_ID[] = "diff_id";

/* The source's name, where "_3a" is a port's colon. */
static int add_source(const char *name, struct buf *out, struct err *err)
{
	char hex[DIGEST_TEXT_SIZE];
	struct digest digest;
	int r = 0;

	if (strlen(name) > SOURCE_TEXT_MAX) {
		r = digest_of(DIGEST_SHA256, name, strlen(name), &digest, err);
		return r < 0 ? r
			     : buf_addstr(out, digest_hex(&digest, hex), err);
	}
	for (const char *p = name; *p && r == 0; p++) {
		if (isalnum((unsigned char)*p) || *p == '.' || *p == '-')
			r = buf_add(out, p, 1, err);
		else
			r = buf_addf(out, err, "_%02x", (unsigned char)*p);
	}
	return r;
}

/* SOURCE.HEX: the store is every source's. */
static int note_key(struct images *images, const struct digest *layer,
    struct buf *out, struct err *err)
{
	char hex[DIGEST_TEXT_SIZE];
	int r = add_source(source_name(images_source(images)), out, err);

	return r < 0 ? r : buf_addf(out, err, ".%s", digest_hex(layer, hex));
}

/* The text up to `end`, which is passed over. */
static bool parse_word(const char **cursor, char end, char *out, size_t size)
{
	const char *stop = strchr(*cursor, end);
	size_t len = stop ? (size_t)(stop - *cursor) : 0;

	if (len == 0 || len >= size)
		return false;
	memcpy(out, *cursor, len);
	out[len] = '\0';
	*cursor = stop + 1;
	return true;
}

/* A name and a value, which lie in the text. */
static bool parse_pair(char *pair, struct layer_blob *out)
{
	char *value = strchr(pair, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (strcmp(pair, DIFF_ID) == 0)
		return digest_parse(&out->diff_id, value, ERR_IGNORE) == 0;
	return layer_annotations_add(&out->annotations, pair, value);
}

/* The repository, and what pairs are after it. */
static bool parse_rest(char *text, struct layer_blob *out)
{
	char *word = strsep(&text, " ");

	if (!repository_valid(word))
		return false;
	snprintf(out->repository, sizeof(out->repository), "%s", word);
	while ((word = strsep(&text, " ")))
		if (!parse_pair(word, out))
			return false;
	return true;
}

static bool parse_line(const char **cursor, struct layer_blob *out)
{
	char digest[DIGEST_TEXT_SIZE];
	char rest[LINE_MAX_BYTES];

	*out = (struct layer_blob){.size = 0};
	return parse_word(cursor, ' ', digest, sizeof(digest)) &&
	       digest_parse(&out->digest, digest, ERR_IGNORE) == 0 &&
	       parse_u64(cursor, DESCRIPTOR_MAX_SIZE, &out->size) &&
	       parse_literal(cursor, " ") &&
	       parse_word(cursor, ' ', out->media_type,
		   sizeof(out->media_type)) &&
	       parse_word(cursor, '\n', rest, sizeof(rest)) &&
	       parse_rest(rest, out);
}

/* A damaged note counts as far as it can be read. How many. */
static int note_read(struct images *images, const char *key,
    struct layer_blob out[LAYER_BLOBS_MAX], struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(LAYER_BLOBS_MAX * LINE_MAX_BYTES);
	int r = store_note(images_store(images), NOTE_KIND, key, &text, err);
	const char *cursor = buf_str(&text);
	int count = 0;

	if (r <= 0)
		return r;
	while (count < LAYER_BLOBS_MAX && parse_line(&cursor, &out[count]))
		count++;
	return count;
}

int layers_find(struct images *images, const char *repository,
    const struct digest *layer, struct layer_blob out[LAYER_BLOBS_MAX],
    struct err *err)
{
	AUTO_BUF struct buf key = BUF_INIT(NAME_MAX);
	struct layer_blob found[LAYER_BLOBS_MAX];
	int n, count = 0;
	int r = note_key(images, layer, &key, err);

	n = r < 0 ? r : note_read(images, buf_str(&key), found, err);
	for (int i = 0; i < n; i++)
		if (strcmp(found[i].repository, repository) == 0)
			out[count++] = found[i];
	for (int i = 0; i < n; i++)
		if (strcmp(found[i].repository, repository) != 0)
			out[count++] = found[i];
	return n < 0 ? n : count;
}

static int print_line(struct buf *out, const struct layer_blob *blob,
    struct err *err)
{
	const struct layer_annotations *annotations = &blob->annotations;
	char digest[DIGEST_TEXT_SIZE];
	int r = buf_addf(out, err, "%s %llu %s %s",
	    digest_format(&blob->digest, digest),
	    (unsigned long long)blob->size, blob->media_type, blob->repository);

	if (r == 0 && digest_is_set(&blob->diff_id))
		r = buf_addf(out, err, " %s=%s", DIFF_ID,
		    digest_format(&blob->diff_id, digest));
	for (size_t i = 0; i < annotations->count && r == 0; i++)
		r = buf_addf(out, err, " %s=%s", annotations->list[i].name,
		    annotations->list[i].value);
	return r < 0 ? r : buf_addstr(out, "\n", err);
}

/* Notes of earlier versions have no annotations. */
static bool says_as_much(const struct layer_blob *known,
    const struct layer_blob *blob)
{
	return known->annotations.count >= blob->annotations.count &&
	       (digest_is_set(&known->diff_id) ||
		   !digest_is_set(&blob->diff_id));
}

static int note_add(struct images *images, const struct digest *layer,
    const struct layer_blob *blob, struct err *err)
{
	AUTO_BUF struct buf key = BUF_INIT(NAME_MAX);
	AUTO_BUF struct buf text = BUF_INIT(LAYER_BLOBS_MAX * LINE_MAX_BYTES);
	struct layer_blob known[LAYER_BLOBS_MAX];
	int r = note_key(images, layer, &key, err);
	int n = r < 0 ? r : note_read(images, buf_str(&key), known, err);

	if (n < 0)
		return n;
	/* Nothing is written for what is known: each look at an image comes
	 * here. */
	for (int i = 0; i < n; i++) {
		if (!digest_equal(&known[i].digest, &blob->digest) ||
		    strcmp(known[i].repository, blob->repository) != 0)
			continue;
		if (says_as_much(&known[i], blob))
			return 0;
		known[i] = known[--n];
		break;
	}
	if (n == LAYER_BLOBS_MAX)
		n--;
	r = print_line(&text, blob, err);
	for (int i = 0; i < n && r == 0; i++)
		r = print_line(&text, &known[i], err);
	if (r < 0)
		return r;
	return store_note_put(images_store(images), NOTE_KIND, buf_str(&key),
	    buf_str(&text), err);
}

/* Whether the words of its line are words: a media type is what a stranger
 * wrote. */
static bool printable(const struct layer_blob *blob)
{
	const char *p = blob->media_type;

	while (isgraph((unsigned char)*p))
		p++;
	return p > blob->media_type && *p == '\0' &&
	       repository_valid(blob->repository);
}

void layers_learn(struct images *images, const struct digest *diff_id,
    const struct layer_blob *blob)
{
	struct err err = ERR_INIT;

	if (!printable(blob))
		return;
	if (note_add(images, diff_id, blob, &err) < 0 ||
	    note_add(images, &blob->digest, blob, &err) < 0)
		log_debug(LOG_PUSH, "a known layer is not noted: %s", err.msg);
}

void layers_learn_image(const struct image *image, const struct config *config)
{
	const struct manifest *manifest = image->manifest;

	if (!config || config->diff_id_count != manifest->entry_count)
		return;
	for (size_t i = 0; i < manifest->entry_count; i++) {
		const struct descriptor *layer = &manifest->entries[i];
		struct layer_blob blob = {.digest = layer->digest,
		    .size = layer->size};

		/* A foreign layer is in no repository. An empty file is no
		 * layer. */
		if (layer->has_urls || !layer->size ||
		    strlen(layer->media_type) >= sizeof(blob.media_type))
			continue;
		snprintf(blob.media_type, sizeof(blob.media_type), "%s",
		    layer->media_type);
		layer_annotations_take(&blob.annotations, layer);
		snprintf(blob.repository, sizeof(blob.repository), "%s",
		    image->repository);
		layers_learn(image->images, &config->diff_ids[i], &blob);
	}
}
