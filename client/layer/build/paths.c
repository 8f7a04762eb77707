/* SPDX-License-Identifier: Apache-2.0 */
/* Following the paths of a tar. */
#include "paths.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/strf.h"
#include "builder_state.h"

enum {
	/* As the kernel: more are a loop. */
	LINKS_MAX = 40,
	/* Directories that a layer may make without an entry of their own, and
	 * as many more for each entry that it has: a long path is a few bytes
	 * of a packed layer, and could be megabytes here. */
	IMPLIED_FREE = 1 << 16,
	IMPLIED_EACH = 8,
};

struct path_walk {
	struct builder *builder;
	bool create;
	int64_t mtime;
	uint32_t dir;   /* so far */
	char *text;     /* owned; what is left is in it */
	char *rest;     /* without slashes in front */
	unsigned links; /* followed so far */
};

static bool is_dir(struct builder *builder, uint32_t entry)
{
	return S_ISDIR(builder_entry(builder, entry)->mode);
}

/* Goes on at the target of a symbolic link, with what is left behind it. 1, 0
 * where there are too many. */
static int follow_link(struct path_walk *walk, uint32_t link, const char *rest,
    struct err *err)
{
	const char *target = builder_target(walk->builder, link);
	char *text;

	if (++walk->links > LINKS_MAX)
		return 0;
	text = strf("%s/%s", target, rest);
	if (!text)
		return err_nomem(err);
	if (*target == '/')
		walk->dir = LAYER_ROOT;
	free(walk->text);
	walk->text = text;
	walk->rest = text + strspn(text, "/");
	return 1;
}

static int imply(struct path_walk *walk, const char *name, uint32_t *out,
    struct err *err)
{
	struct builder *builder = walk->builder;
	struct layer_entry implied = builder_implied(walk->mtime);
	uint64_t others = builder_count(builder) - builder->implied;

	if (builder->implied >= IMPLIED_FREE + IMPLIED_EACH * others)
		return err_set(err, EFBIG,
		    "the layer has far more directories than entries");
	builder->engines_refuse |= walk->links > 0;
	builder->implied++;
	return builder_append(builder, walk->dir, name, &implied, out, err);
}

/* Goes into a directory of that name, after which rest is left. */
static int enter(struct path_walk *walk, const char *name, char *rest,
    struct err *err)
{
	struct builder *builder = walk->builder;
	uint32_t child = builder_child(builder, walk->dir, name);
	int r = 0;

	if (child != LAYER_ROOT && S_ISLNK(builder_entry(builder, child)->mode))
		return follow_link(walk, child, rest, err);
	if (child == LAYER_ROOT || !is_dir(builder, child)) {
		if (!walk->create)
			return 0;
		builder->over_file |= child != LAYER_ROOT;
		r = imply(walk, name, &child, err);
	}
	walk->dir = child;
	walk->rest = rest;
	return r < 0 ? r : 1;
}

/* Takes one component. 2 when it was the last, which is then in name. */
static int step(struct path_walk *walk, char *name, struct err *err)
{
	size_t len = strcspn(walk->rest, "/");
	char *rest = walk->rest + len + strspn(walk->rest + len, "/");

	if (len > PATH_NAME_MAX)
		return 0;
	memcpy(name, walk->rest, len);
	name[len] = '\0';
	if (!strcmp(name, "..")) {
		walk->dir = builder_entry(walk->builder, walk->dir)->parent;
		*name = '\0';
	}
	if (!*name || !strcmp(name, ".")) {
		*name = '\0';
		walk->rest = rest;
		return *rest ? 1 : 2;
	}
	return *rest ? enter(walk, name, rest, err) : 2;
}

void paths_clean(char *path)
{
	const char *in = path;
	char *out = path;

	while (*in) {
		size_t len;

		in += strspn(in, "/");
		len = strcspn(in, "/");
		if (len == 2 && !strncmp(in, "..", len)) {
			while (out > path && *--out != '/')
				;
		} else if (len > 0 && !(len == 1 && *in == '.')) {
			if (out > path)
				*out++ = '/';
			memmove(out, in, len);
			out += len;
		}
		in += len;
	}
	*out = '\0';
}

/* How long the part of a clean path is that leads to its last component. */
static size_t parent_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

/* A layer has the files of a directory one after the other: where the last one
 * led is not looked up again. */
static void skip_known(struct path_walk *walk)
{
	const struct builder *builder = walk->builder;
	size_t len = parent_len(walk->text);

	if (len == 0 || len != builder->last_parent.len ||
	    memcmp(walk->text, builder->last_parent.data, len) != 0)
		return;
	walk->dir = builder->last_dir;
	walk->rest = walk->text + len + 1;
}

static int note_known(struct path_walk *walk, struct err *err)
{
	struct builder *builder = walk->builder;

	if (walk->links > 0)
		return 0;
	buf_reset(&builder->last_parent);
	builder->last_dir = walk->dir;
	return buf_add(&builder->last_parent, walk->text,
	    parent_len(walk->text), err);
}

int paths_follow(struct builder *builder, const char *path, bool create,
    int64_t mtime, struct path_place *out, struct err *err)
{
	AUTO_FREE char *text = strdup(path);
	struct path_walk walk = {.builder = builder,
	    .create = create,
	    .mtime = mtime,
	    .dir = LAYER_ROOT,
	    .text = text,
	    .rest = text};
	int r = 1;

	if (!text)
		return err_nomem(err);
	paths_clean(text);
	skip_known(&walk);
	while (r == 1)
		r = step(&walk, out->name, err);
	text = walk.text;
	out->dir = walk.dir;
	if (r == 2)
		r = note_known(&walk, err) < 0 ? -err->code : 1;
	return r;
}
