/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of an archive that can matter to an image. A root file system has
 * a hundred thousand others, which cost nothing here.
 */
#include "entries.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

enum {
	/* Each takes some 200 bytes; a thousand images with a hundred layers
	 * each, or a root with as many files in its top directory. */
	COUNT_MAX = 100000,
	/* Of links to links; what Linux allows. */
	HOPS_MAX = 40,
	SHA256_BYTES = 32,
};

struct entries_item {
	struct archive_entry entry;
	const char *target; /* of a link, normalised; NULL for a file */
};

void entries_release(struct entries *entries)
{
	map_release(&entries->by_name);
	map_release(&entries->wanted);
	arena_release(&entries->arena);
}

/* A path that grows by components. */
struct path {
	char text[TAR_NAME_MAX + 1];
	size_t len;
};

static bool path_up(struct path *path)
{
	const char *slash;

	if (path->len == 0)
		return false;
	slash = memrchr(path->text, '/', path->len);
	path->len = slash ? (size_t)(slash - path->text) : 0;
	path->text[path->len] = '\0';
	return true;
}

static bool path_down(struct path *path, const char *component, size_t len)
{
	size_t slash = path->len > 0;

	if (len + slash > TAR_NAME_MAX - path->len)
		return false;
	if (slash)
		path->text[path->len++] = '/';
	memcpy(path->text + path->len, component, len);
	path->len += len;
	path->text[path->len] = '\0';
	return true;
}

/* Goes where text leads; false if that is outside of the archive. */
static bool path_walk(struct path *path, const char *text)
{
	if (*text == '/') {
		path->len = 0;
		path->text[0] = '\0';
	}
	while (*text) {
		size_t len = strcspn(text, "/");
		bool moved = true;

		if (len == 2 && memcmp(text, "..", 2) == 0)
			moved = path_up(path);
		else if (len > 0 && !(len == 1 && *text == '.'))
			moved = path_down(path, text, len);
		if (!moved)
			return false;
		text += len;
		text += strspn(text, "/");
	}
	return true;
}

/* The file or directory that text names, from the archive's root. */
static bool path_set(struct path *path, const char *text)
{
	path->len = 0;
	path->text[0] = '\0';
	return path_walk(path, text) && path->len > 0;
}

/*
 * Every writer puts what belongs to an image at the top, into a directory of
 * its own as layer.tar, or into blobs/ALGORITHM/.
 */
static bool can_matter(const char *name)
{
	const char *slash = strchr(name, '/');
	const char *second = slash ? strchr(slash + 1, '/') : NULL;

	if (!slash || strcmp(slash, "/layer.tar") == 0)
		return true;
	return parse_literal(&name, "blobs/") && second &&
	       !strchr(second + 1, '/');
}

bool entries_is_blob_name(const char *name)
{
	uint8_t id[SHA256_BYTES];

	if (parse_literal(&name, "blobs/"))
		return true;
	if (!parse_hex(&name, id, sizeof(id)))
		return false;
	return strcmp(name, ".tar") == 0 || strcmp(name, ".tar.gz") == 0 ||
	       strcmp(name, "/layer.tar") == 0;
}

/* Where a link leads, from the archive's root; "" where nothing can be. */
static bool link_target(const struct tar_entry *entry, const struct path *name,
    struct path *out)
{
	if (entry->type == TAR_HARDLINK)
		return path_set(out, entry->link);
	*out = *name;
	path_up(out);
	return path_walk(out, entry->link);
}

static int fill_item(struct entries *entries, const struct tar_entry *entry,
    const struct path *name, struct entries_item *item, struct err *err)
{
	struct path target;

	item->entry.name = arena_strdup(&entries->arena, name->text);
	item->entry.offset = entry->offset;
	item->entry.size = entry->size;
	if (!item->entry.name)
		return err_nomem(err);
	if (entry->type == TAR_FILE)
		return 0;
	if (!link_target(entry, name, &target))
		target.text[0] = '\0';
	item->target = arena_strdup(&entries->arena, target.text);
	return item->target ? 0 : err_nomem(err);
}

static struct entries_item *add_item(struct entries *entries,
    const struct tar_entry *entry, const struct path *name, struct err *err)
{
	struct entries_item *item;

	if (entries->count == COUNT_MAX) {
		err_set(err, EFBIG, "the archive has too many files");
		return NULL;
	}
	entries->count++;
	item = arena_alloc(&entries->arena, sizeof(*item));
	if (!item) {
		err_nomem(err);
		return NULL;
	}
	if (fill_item(entries, entry, name, item, err) < 0)
		return NULL;
	if (map_put(&entries->by_name, item->entry.name, item) < 0) {
		err_nomem(err);
		return NULL;
	}
	return item;
}

/* Its bytes are not the file's. */
static int refuse_sparse(const char *name, struct err *err)
{
	return err_set(err, EINVAL,
	    "%s is stored as a sparse file: write the archive without sparse "
	    "files",
	    name);
}

static bool is_file_or_link(const struct tar_entry *entry)
{
	return entry->type == TAR_FILE || entry->type == TAR_HARDLINK ||
	       entry->type == TAR_SYMLINK;
}

int entries_add(struct entries *entries, const struct tar_entry *entry,
    const struct archive_entry **file, struct err *err)
{
	struct entries_item *item;
	struct path name;

	*file = NULL;
	if (!is_file_or_link(entry) || !path_set(&name, entry->name) ||
	    !can_matter(name.text))
		return 0;
	/* Of other files it does not matter. */
	if (entry->is_sparse)
		return entries_is_blob_name(name.text)
			   ? refuse_sparse(name.text, err)
			   : 0;
	item = add_item(entries, entry, &name, err);
	if (!item)
		return -err->code;
	if (entry->type == TAR_FILE)
		*file = &item->entry;
	return 0;
}

int entries_add_wanted(struct entries *entries, const struct tar_entry *entry,
    struct err *err)
{
	struct path name;

	if (!is_file_or_link(entry) || !path_set(&name, entry->name) ||
	    !map_get(&entries->wanted, name.text))
		return 0;
	if (entry->is_sparse)
		return refuse_sparse(name.text, err);
	return add_item(entries, entry, &name, err) ? 0 : -err->code;
}

int entries_want(struct entries *entries, const char *name, struct err *err)
{
	struct path path;
	const char *at = path.text;
	const struct entries_item *item;

	if (!path_set(&path, name))
		return 0;
	item = map_get(&entries->by_name, at);
	for (int hops = 0; item && item->target && hops < HOPS_MAX; hops++) {
		at = item->target;
		item = map_get(&entries->by_name, at);
	}
	if (item || map_get(&entries->wanted, at))
		return 0;
	return map_put(&entries->wanted, at, entries) < 0 ? err_nomem(err) : 1;
}

bool entries_find(const struct entries *entries, const char *name,
    struct archive_entry *out)
{
	struct path path;
	const struct entries_item *item;

	if (!path_set(&path, name))
		return false;
	item = map_get(&entries->by_name, path.text);
	for (int hops = 0; item && item->target && hops < HOPS_MAX; hops++)
		item = map_get(&entries->by_name, item->target);
	if (!item || item->target)
		return false;
	*out = item->entry;
	return true;
}
