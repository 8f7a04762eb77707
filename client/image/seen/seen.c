/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes of the store: a list is one, which begins with its time; the tags of a
 * repository are another, to which a line is added for each that is put. One
 * that has grown large is written again without what is out of date.
 */
#include "seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/parse.h"
#include "base/strf.h"

#define LISTS "lists"
#define TAGS "tags"

enum {
	LIST_MAX = 64 << 20,
	/* Ten thousand tags or so of one repository. */
	TAGS_MAX = 1 << 20,
	/* What some mounts add at once before one of them shortens it. */
	TAGS_READ_MAX = 4 * TAGS_MAX,
};

/* A repository's key among notes: names may be longer than those of files. */
struct seen_key {
	char hex[DIGEST_TEXT_SIZE];
};

static int key_of(const struct seen *seen, const char *repository,
    struct seen_key *out, struct err *err)
{
	AUTO_FREE char *name = strf("%s/%s", seen->source, repository);
	struct digest digest;
	int r;

	if (!name)
		return err_nomem(err);
	r = digest_of(DIGEST_SHA256, name, strlen(name), &digest, err);
	if (r < 0)
		return r;
	digest_hex(&digest, out->hex);
	return 0;
}

void seen_put_list(const struct seen *seen, const char *repository,
    const struct names *names)
{
	AUTO_BUF struct buf text = BUF_INIT(LIST_MAX);
	struct seen_key key;
	int r = key_of(seen, repository, &key, ERR_IGNORE);

	if (r == 0)
		r = buf_addf(&text, ERR_IGNORE, "%lld\n",
		    (long long)time(NULL));
	for (size_t i = 0; r == 0 && i < names_count(names); i++)
		r = buf_addf(&text, ERR_IGNORE, "%s\n", names_at(names, i));
	if (r == 0)
		store_note_put(seen->store, LISTS, key.hex, buf_str(&text),
		    ERR_IGNORE);
}

static bool parse_time(const char *text, time_t *out)
{
	uint64_t seconds;

	if (!parse_u64(&text, INT64_MAX, &seconds) || *text)
		return false;
	*out = (time_t)seconds;
	return true;
}

int seen_list(const struct seen *seen, const char *repository,
    struct names **out, time_t *at, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(LIST_MAX);
	CLEANUP(names_builder_free_p) struct names_builder *builder = NULL;
	struct seen_key key;
	char *cursor, *line;
	int r = key_of(seen, repository, &key, err);

	if (r == 0)
		r = store_note(seen->store, LISTS, key.hex, &text, err);
	if (r <= 0)
		return r;
	cursor = text.data;
	line = strsep(&cursor, "\n");
	if (!line || !parse_time(line, at))
		return 0;
	builder = names_builder_new(err);
	if (!builder)
		return -err->code;
	r = 0;
	while (r == 0 && (line = strsep(&cursor, "\n")))
		r = *line ? names_builder_add(builder, line, err) : 0;
	if (r == 0)
		r = names_builder_take(steal(&builder), out, err);
	return r < 0 ? r : 1;
}

/* A line, cut up: "TAG DIGEST SECONDS", "-" for no digest. */
static bool split(char *line, char **tag, char **digest, char **at)
{
	*tag = strsep(&line, " ");
	*digest = strsep(&line, " ");
	*at = strsep(&line, " ");
	return *at && !line;
}

/* The lines that are the last of their tag, in their order; the last half of
 * the room for them at most. */
static int shorten(char *text, struct buf *out, struct err *err)
{
	struct map last = MAP_INIT;
	AUTO_BUF struct buf kept = BUF_INIT(TAGS_READ_MAX);
	size_t from = 0;
	int r = 0;

	for (int pass = 0; pass < 2; pass++) {
		const char *line = text;

		for (; r == 0 && *line; line += strcspn(line, "\n") + 1) {
			AUTO_FREE char *tag =
			    strndup(line, strcspn(line, " \n"));

			if (!tag)
				r = err_nomem(err);
			else if (pass == 0)
				r = map_put(&last, tag,
					(void *)(uintptr_t)line) < 0
					? err_nomem(err)
					: 0;
			else if (map_get(&last, tag) == line)
				r = buf_add(&kept, line,
				    strcspn(line, "\n") + 1, err);
		}
	}
	map_release(&last);
	if (r < 0)
		return r;
	if (kept.len > TAGS_MAX / 2) {
		from = kept.len - TAGS_MAX / 2;
		from += strcspn(buf_str(&kept) + from, "\n") + 1;
	}
	return buf_addstr(out, buf_str(&kept) + from, err);
}

static void rewrite(const struct seen *seen, const struct seen_key *key)
{
	AUTO_BUF struct buf text = BUF_INIT(TAGS_READ_MAX);
	AUTO_BUF struct buf kept = BUF_INIT(TAGS_MAX);
	int r = store_note(seen->store, TAGS, key->hex, &text, ERR_IGNORE);
	/* What a crash has cut is no line. */
	size_t whole = text.len;

	while (whole && text.data[whole - 1] != '\n')
		whole--;
	if (r == 1 && whole) {
		text.data[whole] = '\0';
		r = shorten(text.data, &kept, ERR_IGNORE);
	}
	store_note_put(seen->store, TAGS, key->hex,
	    r >= 0 ? buf_str(&kept) : "", ERR_IGNORE);
}

void seen_put_tag(const struct seen *seen, const char *repository,
    const char *tag, const struct digest *digest)
{
	char text[DIGEST_TEXT_SIZE];
	AUTO_FREE char *line = strf("%s %s %lld\n", tag,
	    digest ? digest_format(digest, text) : "-", (long long)time(NULL));
	struct seen_key key;
	int64_t size;

	if (!line || key_of(seen, repository, &key, ERR_IGNORE) < 0)
		return;
	size = store_note_add(seen->store, TAGS, key.hex, line, ERR_IGNORE);
	if (size > TAGS_MAX)
		rewrite(seen, &key);
}

void seen_tags(const struct seen *seen, const char *repository,
    seen_tag_fn *each, void *arg)
{
	AUTO_BUF struct buf text = BUF_INIT(TAGS_READ_MAX);
	struct seen_key key;
	char *cursor, *line;

	if (key_of(seen, repository, &key, ERR_IGNORE) < 0 ||
	    store_note(seen->store, TAGS, key.hex, &text, ERR_IGNORE) != 1)
		return;
	cursor = text.data;
	while ((line = strsep(&cursor, "\n"))) {
		char *tag, *name, *when;
		struct digest digest;
		time_t at;

		if (!split(line, &tag, &name, &when) || !parse_time(when, &at))
			continue;
		if (strcmp(name, "-") == 0)
			each(arg, tag, NULL, at);
		else if (digest_parse(&digest, name, ERR_IGNORE) == 0)
			each(arg, tag, &digest, at);
	}
}
