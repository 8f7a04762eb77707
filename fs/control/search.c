/* SPDX-License-Identifier: Apache-2.0 */
/*
 * .registryfs/search/WORDS: what a service finds by words, as links to the
 * repositories in the mount, and as a table.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container.h"
#include "base/lock.h"
#include "base/strf.h"
#include "control.h"
#include "node/key.h"
#include "snapshot.h"
#include "tag/link.h"

#define TABLE "results.tsv"

enum {
	FOUND_FOR =
	    60, /* seconds that results are shown before it asks again */
	FOUND_MAX = 256 << 10, /* bytes of names */
};

struct search_node {
	struct node node;
	char *words; /* NULL: of the directory above */
	pthread_mutex_t lock;
	struct buf found; /* under lock, as what follows: "NAME\0…" */
	int64_t asked;    /* monotonic; 0: never */
};

static struct search_node *to_search(struct node *node)
{
	return container_of(node, struct search_node, node);
}

static int make(struct node *dir, const char *name, const char *words,
    struct node **out, struct err *err)
{
	struct search_node *self = calloc(1, sizeof(*self));

	if (!self)
		return err_nomem(err);
	pthread_mutex_init(&self->lock, NULL);
	self->found = BUF_INIT(FOUND_MAX);
	self->words = words ? strdup(words) : NULL;
	node_init_in(&self->node, dir, name, NODE_SEARCH,
	    words && !self->words ? NULL : key_of_child(dir, name), 0, 0);
	*out = node_add(dir->mount->nodes, &self->node, err);
	return *out ? 0 : -err->code;
}

int search_node(struct node *control, const char *name, struct node **out,
    struct err *err)
{
	return make(control, name, NULL, out, err);
}

static void search_free(struct node *node)
{
	struct search_node *self = to_search(node);

	buf_release(&self->found);
	pthread_mutex_destroy(&self->lock);
	free(self->words);
	free(self);
}

static int search_stat(struct node *node, struct stat *out, struct err *err)
{
	(void)err;
	mount_stat_dir(node->mount, node, out);
	return 0;
}

/* The source of the mount that can be searched; of a mount in which any host
 * can be entered, Docker Hub. */
static int find_source(struct node *node, struct mount_source **out,
    struct err *err)
{
	CLEANUP(node_put_p) struct node *root = NULL;
	CLEANUP(node_put_p) struct node *hub = NULL;

	for (*out = mount_source_first(node->mount); *out; *out = (*out)->next)
		if ((*out)->images &&
		    source_can(images_source((*out)->images), SOURCE_SEARCHES))
			return 0;
	root = node_find(node->mount->nodes, NODE_ROOT);
	if (root && root->kind == NODE_HOSTS &&
	    root->view->lookup(root, REFERENCE_HUB, &hub, err) == 0) {
		*out = hub->source;
		return 0;
	}
	return err_set(err, EOPNOTSUPP,
	    "nothing in this mount can be searched: Docker Hub can, as "
	    "docker.io");
}

static int add_name(void *arg, const char *name, struct err *err)
{
	return buf_add(arg, name, strlen(name) + 1, err);
}

/* The names, in a buffer of the caller's; asked for if they are old. */
static int find(struct search_node *self, struct mount_source **source,
    struct buf *out, struct err *err)
{
	int64_t now = clock_seconds();
	int r = find_source(&self->node, source, err);

	if (r < 0)
		return r;
	SCOPED_LOCK(&self->lock);
	if (!self->asked || now - self->asked >= FOUND_FOR) {
		buf_reset(&self->found);
		self->asked = 0;
		r = source_search(images_source((*source)->images), self->words,
		    add_name, &self->found, err);
		if (r < 0)
			return r;
		self->asked = now ? now : 1;
	}
	return self->found.len
		   ? buf_add(out, self->found.data, self->found.len, err)
		   : 0;
}

/* In the list of names: the next one, NULL at the end. */
static const char *next_name(const struct buf *names, size_t *at)
{
	const char *name = names->data + *at;

	if (*at >= names->len)
		return NULL;
	*at += strlen(name) + 1;
	return name;
}

/* Below what is mounted of the source, or NULL. */
static const char *in_mount(const struct mount_source *source, const char *name)
{
	size_t len = strlen(source->base);

	if (len == 0)
		return name;
	return strncmp(name, source->base, len) == 0 && name[len] == '/'
		   ? name + len + 1
		   : NULL;
}

/* As an entry is called: a '/' is a '+', which no repository's name has. */
static char *entry_name(const char *repository)
{
	char *name = strdup(repository);

	for (char *c = name; c && *c; c++)
		if (*c == '/')
			*c = '+';
	return name;
}

static int search_list(struct node *dir, struct dirlist *out, struct err *err)
{
	struct search_node *self = to_search(dir);
	AUTO_BUF struct buf names = BUF_INIT(FOUND_MAX);
	AUTO_FREE char *table = key_of_child(dir, TABLE);
	struct mount_source *source;
	const char *name;
	size_t at = 0;
	int r;

	if (!self->words)
		return 0;
	if (!table)
		return err_nomem(err);
	r = find(self, &source, &names, err);
	while (r == 0 && (name = next_name(&names, &at))) {
		const char *path = in_mount(source, name);
		AUTO_FREE char *entry = path ? entry_name(path) : NULL;

		if (entry)
			r = dirlist_add(out, entry, strlen(entry), S_IFLNK,
			    node_number(NODE_LINK, entry), err);
	}
	return r < 0 ? r
		     : dirlist_add(out, TABLE, strlen(TABLE), S_IFREG,
			   node_number(NODE_SNAPSHOT, table), err);
}

/* From .registryfs/search/WORDS. */
static int link_to(struct mount_source *source, const char *path,
    struct node **out, struct err *err)
{
	AUTO_FREE char *target = strf("../../../%s%s%s", source->name,
	    *source->name ? "/" : "", path);

	return target ? link_node(source, target, out, err) : err_nomem(err);
}

/* A line of the table: text without its tabs and ends of lines. */
static int add_cell(struct buf *out, const char *text, char end,
    struct err *err)
{
	int r = 0;

	for (; r == 0 && *text; text++)
		r = buf_add(out, (unsigned char)*text < ' ' ? " " : text, 1,
		    err);
	return r < 0 ? r : buf_add(out, &end, 1, err);
}

struct row {
	const char *name; /* of the fact that is wanted */
	char value[1024];
};

static int take_fact(void *arg, const char *name, const char *value,
    struct err *err)
{
	struct row *row = arg;

	(void)err;
	if (strcmp(name, row->name) == 0)
		snprintf(row->value, sizeof(row->value), "%s", value);
	return 0;
}

static const char *const columns[] = {"stars", "pulls", "badge", "description"};

enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

static int print_row(struct mount_source *source, const char *repository,
    struct buf *out, struct err *err)
{
	int r = add_cell(out, repository, '\t', err);

	for (size_t i = 0; r == 0 && i < COLUMNS; i++) {
		struct row row = {.name = columns[i], .value = ""};

		r = source_facts(images_source(source->images), repository,
		    NULL, 0, take_fact, &row, err);
		if (r == 0)
			r = add_cell(out, row.value,
			    i + 1 < COLUMNS ? '\t' : '\n', err);
	}
	return r;
}

static int print_table(const struct node *node, struct buf *out,
    struct err *err)
{
	CLEANUP(node_put_p) struct node *dir = node_parent(node);
	AUTO_BUF struct buf names = BUF_INIT(FOUND_MAX);
	struct mount_source *source;
	const char *name;
	size_t at = 0;
	int r = find(to_search(dir), &source, &names, err);

	if (r == 0)
		r = buf_addstr(out, "name\tstars\tpulls\tbadge\tdescription\n",
		    err);
	while (r == 0 && (name = next_name(&names, &at)))
		r = print_row(source, name, out, err);
	return r;
}

static int search_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	struct search_node *self = to_search(dir);
	AUTO_BUF struct buf names = BUF_INIT(FOUND_MAX);
	AUTO_FREE char *key = key_of_child(dir, name);
	struct mount_source *source;
	const char *found;
	size_t at = 0;
	int r;

	if (!key)
		return err_nomem(err);
	if (!self->words)
		return make(dir, name, name, out, err);
	if (strcmp(name, TABLE) == 0)
		return snapshot_node(dir, name, key,
		    &(struct snapshot_text){.print = print_table}, out, err);
	r = find(self, &source, &names, err);
	while (r == 0 && (found = next_name(&names, &at))) {
		const char *path = in_mount(source, found);
		AUTO_FREE char *entry = path ? entry_name(path) : NULL;

		if (entry && strcmp(entry, name) == 0)
			return link_to(source, path, out, err);
	}
	return r < 0 ? r
		     : err_set(err, ENOENT, "nothing of that name is found");
}

const struct view_ops view_search = {
    .stat = search_stat,
    .free = search_free,
    .lookup = search_lookup,
    .list = search_list,
};
