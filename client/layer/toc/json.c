/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of a table of contents, by yajl, which calls us for each value:
 *
 *	{"version": 1, "entries": [{"name": …, "xattrs": {…}, …}, …]}
 *
 * Values whose name means nothing are skipped, whatever they are. null is as if
 * the value were not there, as Go has it.
 */
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "layer/index.h"

enum {
	SKIPPED_DEPTH_MAX = 16,

	/* yajl keeps a value that comes in pieces until it is whole. */
	VALUE_MAX = 1 << 20,

	/* A file's extended attributes: how many, and the bytes of all. */
	XATTR_NAME_MAX = 255, /* Linux has it so */
	XATTRS_MAX = 256,
	XATTR_BYTES_MAX = TAR_EXTENDED_MAX,
};

/* What the place is in that the next value, or the next name, is in. Each is
 * inside the one before it. */
enum json_place {
	PLACE_OUTSIDE,
	PLACE_TOC,
	PLACE_ENTRIES,
	PLACE_ENTRY,
	PLACE_XATTRS
};

/* What the next value is. */
enum value {
	VALUE_UNKNOWN,
	VALUE_TOC,
	VALUE_VERSION,
	VALUE_ENTRIES,
	VALUE_ENTRY,
	VALUE_MEMBER,
	VALUE_XATTRS,
	VALUE_XATTR,
};

struct toc_json {
	yajl_handle yajl;
	toc_entry_fn *take;
	void *arg;
	struct err *err; /* of the call that is under way */
	int result;      /* of what failed in it */
	size_t quiet;    /* bytes since the last value began or ended */

	enum json_place place;
	enum value value;
	const struct toc_member *member;
	unsigned skipped; /* how deep it is in a value that is skipped */
	bool had_entries;

	uint64_t count; /* of entries so far */
	struct toc_entry entry;
	char xattr[XATTR_NAME_MAX + 1]; /* the name of the next one */
	struct arena xattr_data;
	size_t xattr_bytes, xattr_count;
	struct tar_xattr xattrs[XATTRS_MAX];
};

/* What a callback returns: whether yajl is to go on. */
static int go_on(struct toc_json *json, int r)
{
	json->quiet = 0;
	if (r >= 0)
		return 1;
	if (json->place >= PLACE_ENTRY)
		r = err_wrap(json->err, "entry %" PRIu64 " \"%.100s\"",
		    json->count, json->entry.name);
	json->result = r;
	return 0;
}

static int refuse(struct toc_json *json, const char *what)
{
	return go_on(json, err_set(json->err, EINVAL, "%s", what));
}

static int wrong_type(struct toc_json *json)
{
	if (json->value == VALUE_MEMBER)
		return go_on(json,
		    toc_member_wrong_type(json->member, json->err));
	return refuse(json, "a value has the wrong type");
}

static bool is_skipped(const struct toc_json *json)
{
	return json->skipped > 0 || json->value == VALUE_UNKNOWN;
}

/* Another array or object in what is skipped. */
static int skip_deeper(struct toc_json *json)
{
	if (json->skipped == SKIPPED_DEPTH_MAX)
		return refuse(json, "values are nested too deeply");
	json->skipped++;
	return go_on(json, 0);
}

static int enter(struct toc_json *json, enum json_place place, enum value value)
{
	json->place = place;
	json->value = value;
	return go_on(json, 0);
}

static int begin_entry(struct toc_json *json)
{
	if (json->count == LAYER_ENTRIES_MAX)
		return refuse(json, "there are too many entries");
	json->count++;
	toc_entry_reset(&json->entry);
	arena_release(&json->xattr_data);
	json->xattr_bytes = json->xattr_count = 0;
	return enter(json, PLACE_ENTRY, VALUE_UNKNOWN);
}

static int by_name(const void *a, const void *b)
{
	const struct tar_xattr *one = a, *other = b;

	return strcmp(one->name, other->name);
}

static int end_entry(struct toc_json *json)
{
	struct toc_entry *entry = &json->entry;

	qsort(json->xattrs, json->xattr_count, sizeof(*json->xattrs), by_name);
	if (json->xattr_count > 0)
		entry->xattrs = json->xattrs;
	entry->xattr_count = json->xattr_count;
	if (!go_on(json, json->take(json->arg, entry, json->err)))
		return 0;
	return enter(json, PLACE_ENTRIES, VALUE_ENTRY);
}

/* A second list of entries could hide the first one from other readers. */
static int begin_entries(struct toc_json *json)
{
	if (json->had_entries)
		return refuse(json, "there are two lists of entries");
	json->had_entries = true;
	return enter(json, PLACE_ENTRIES, VALUE_ENTRY);
}

static int on_start_map(void *arg)
{
	struct toc_json *json = arg;

	if (is_skipped(json))
		return skip_deeper(json);
	switch (json->value) {
	case VALUE_TOC:
		return enter(json, PLACE_TOC, VALUE_UNKNOWN);
	case VALUE_ENTRY:
		return begin_entry(json);
	case VALUE_XATTRS:
		return enter(json, PLACE_XATTRS, VALUE_UNKNOWN);
	case VALUE_UNKNOWN:
	case VALUE_VERSION:
	case VALUE_ENTRIES:
	case VALUE_MEMBER:
	case VALUE_XATTR:
		break;
	}
	return wrong_type(json);
}

static int on_start_array(void *arg)
{
	struct toc_json *json = arg;

	if (is_skipped(json))
		return skip_deeper(json);
	if (json->value == VALUE_ENTRIES)
		return begin_entries(json);
	return wrong_type(json);
}

/* Of a map or of an array. */
static int on_end(void *arg)
{
	struct toc_json *json = arg;

	if (json->skipped > 0) {
		json->skipped--;
		return go_on(json, 0);
	}
	switch (json->place) {
	case PLACE_ENTRY:
		return end_entry(json);
	case PLACE_XATTRS:
		return enter(json, PLACE_ENTRY, VALUE_UNKNOWN);
	case PLACE_ENTRIES:
		return enter(json, PLACE_TOC, VALUE_UNKNOWN);
	case PLACE_TOC:
	case PLACE_OUTSIDE:
		break;
	}
	return enter(json, PLACE_OUTSIDE, VALUE_UNKNOWN);
}

static bool is(const char *name, const unsigned char *text, size_t len)
{
	return strlen(name) == len && memcmp(name, text, len) == 0;
}

static int name_xattr(struct toc_json *json, const char *name, size_t len)
{
	if (len == 0 || len > XATTR_NAME_MAX || memchr(name, '\0', len))
		return refuse(json,
		    "the name of an extended attribute is invalid");
	memcpy(json->xattr, name, len);
	json->xattr[len] = '\0';
	json->value = VALUE_XATTR;
	return go_on(json, 0);
}

static int on_key(void *arg, const unsigned char *text, size_t len)
{
	struct toc_json *json = arg;
	const char *name = (const char *)text;

	if (json->skipped > 0)
		return go_on(json, 0);
	json->value = VALUE_UNKNOWN;
	switch (json->place) {
	case PLACE_XATTRS:
		return name_xattr(json, name, len);
	case PLACE_ENTRY:
		json->member = toc_member_find(name, len);
		if (json->member)
			json->value = VALUE_MEMBER;
		else if (is("xattrs", text, len))
			json->value = VALUE_XATTRS;
		break;
	case PLACE_TOC:
		if (is("version", text, len))
			json->value = VALUE_VERSION;
		else if (is("entries", text, len))
			json->value = VALUE_ENTRIES;
		break;
	case PLACE_ENTRIES:
	case PLACE_OUTSIDE:
		break;
	}
	return go_on(json, 0);
}

/* The one of that name, or else where the next one is to be. */
static size_t xattr_at(const struct toc_json *json, const char *name)
{
	size_t i = 0;

	while (i < json->xattr_count && strcmp(json->xattrs[i].name, name) != 0)
		i++;
	return i;
}

static int add_xattr(struct toc_json *json, const char *text, size_t len)
{
	size_t at = xattr_at(json, json->xattr);
	AUTO_FREE char *decoded = NULL;
	char *name, *value;
	size_t size;
	int r = base64_decode(text, len, &decoded, &size, json->err);

	if (r < 0)
		return go_on(json, err_wrap(json->err, "%s", json->xattr));
	json->xattr_bytes += strlen(json->xattr) + size;
	if (at == XATTRS_MAX || json->xattr_bytes > XATTR_BYTES_MAX)
		return refuse(json, "there are too many extended attributes");
	name = arena_strdup(&json->xattr_data, json->xattr);
	value = arena_strndup(&json->xattr_data, decoded, size);
	if (!name || !value)
		return go_on(json, err_nomem(json->err));
	json->xattrs[at] = (struct tar_xattr){name, value, size};
	if (at == json->xattr_count)
		json->xattr_count++;
	return go_on(json, 0);
}

static int on_string(void *arg, const unsigned char *text, size_t len)
{
	struct toc_json *json = arg;

	if (is_skipped(json))
		return go_on(json, 0);
	if (json->value == VALUE_MEMBER)
		return go_on(json,
		    toc_member_set_text(json->member, &json->entry,
			(const char *)text, len, json->err));
	if (json->value == VALUE_XATTR)
		return add_xattr(json, (const char *)text, len);
	return wrong_type(json);
}

static int on_number(void *arg, const char *text, size_t len)
{
	struct toc_json *json = arg;

	if (is_skipped(json))
		return go_on(json, 0);
	if (json->value == VALUE_MEMBER)
		return go_on(json, toc_member_set_number(json->member,
				       &json->entry, text, len, json->err));
	if (json->value != VALUE_VERSION)
		return wrong_type(json);
	if (!is("1", (const unsigned char *)text, len))
		return refuse(json, "the version is unknown");
	return go_on(json, 0);
}

static int on_boolean(void *arg, int boolean)
{
	struct toc_json *json = arg;

	(void)boolean;
	return is_skipped(json) ? go_on(json, 0) : wrong_type(json);
}

static int on_null(void *arg)
{
	struct toc_json *json = arg;

	if (json->value == VALUE_TOC || json->value == VALUE_ENTRY)
		return wrong_type(json);
	return go_on(json, 0);
}

int toc_json_new(toc_entry_fn *take, void *arg, struct toc_json **out,
    struct err *err)
{
	static const yajl_callbacks callbacks = {
	    .yajl_null = on_null,
	    .yajl_boolean = on_boolean,
	    .yajl_number = on_number,
	    .yajl_string = on_string,
	    .yajl_start_map = on_start_map,
	    .yajl_map_key = on_key,
	    .yajl_end_map = on_end,
	    .yajl_start_array = on_start_array,
	    .yajl_end_array = on_end,
	};
	CLEANUP(toc_json_free_p)
	struct toc_json *json = calloc(1, sizeof(*json));

	if (!json)
		return err_nomem(err);
	json->take = take;
	json->arg = arg;
	json->value = VALUE_TOC;
	json->yajl = yajl_alloc(&callbacks, NULL, json);
	if (!json->yajl)
		return err_nomem(err);
	*out = steal(&json);
	return 0;
}

void toc_json_free(struct toc_json *json)
{
	if (!json)
		return;
	if (json->yajl)
		yajl_free(json->yajl);
	arena_release(&json->xattr_data);
	free(json);
}

/* yajl's sentence is a line. */
static int syntax_error(struct toc_json *json, struct err *err)
{
	unsigned char *text = yajl_get_error(json->yajl, 0, NULL, 0);
	int len = text ? (int)strcspn((char *)text, "\n") : 0;

	err_set(err, EINVAL, "%.*s after entry %" PRIu64, len, (char *)text,
	    json->count);
	yajl_free_error(json->yajl, text);
	return -EINVAL;
}

static int outcome(struct toc_json *json, yajl_status status, struct err *err)
{
	switch (status) {
	case yajl_status_ok:
		return 0;
	case yajl_status_client_canceled:
		return json->result;
	case yajl_status_error:
		break;
	}
	return syntax_error(json, err);
}

int toc_json_feed(struct toc_json *json, const void *data, size_t len,
    struct err *err)
{
	int r;

	json->err = err;
	json->quiet += len;
	r = outcome(json, yajl_parse(json->yajl, data, len), err);
	if (r == 0 && json->quiet > VALUE_MAX)
		return err_set(err, EINVAL, "a value is too long");
	return r;
}

int toc_json_end(struct toc_json *json, struct err *err)
{
	int r;

	json->err = err;
	r = outcome(json, yajl_complete_parse(json->yajl), err);
	if (r == 0 && !json->had_entries)
		return err_set(err, EINVAL, "there are no entries");
	return r;
}
