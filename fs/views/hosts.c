/* SPDX-License-Identifier: Apache-2.0 */
/* The mount point above several sources, each of which is a directory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "control/control.h"
#include "makers.h"
#include "node/key.h"
#include "sources/hosts.h"
#include "tag/link.h"

/* Others are added when they are looked up. */
enum { NAMES_TTL = 1 }; /* seconds */

int hosts_node_root(struct mount_source *top, struct node **out,
    struct err *err)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return err_nomem(err);
	node_init(node, top, NODE_HOSTS, key_of_repository(top, ""), NAMES_TTL,
	    NAMES_TTL);
	*out = node_add_root(top->mount->nodes, node, err);
	return *out ? 0 : -err->code;
}

static void hosts_node_free(struct node *node)
{
	free(node);
}

static int hosts_stat(struct node *node, struct stat *out, struct err *err)
{
	(void)err;
	mount_stat_dir(node->mount, node, out);
	return 0;
}

/* 1 with *out, 0, or an error. */
static int find(struct mount *mount, const char *name,
    struct mount_source **out, struct err *err)
{
	*out = mount_source_find(mount, name);
	if (*out)
		return 1;
	return mount->hosts ? hosts_find(mount->hosts, name, out, err) : 0;
}

static int hosts_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	struct mount_source *source;
	int r;

	if (control_is_at(dir, name))
		return control_node(dir, name, out, err);
	r = find(dir->mount, name, &source, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ENOENT, "no such name");
	/* Another spelling: 127.1, LOCALHOST:5000. */
	if (strcmp(source->name, name) != 0)
		return link_node(dir->source, source->name, out, err);
	return repo_node(source, source->base, out, err);
}

struct hosts_listing {
	struct dirlist *out;
	struct map seen;
};

static int add(struct hosts_listing *listing, const struct mount_source *source,
    struct err *err)
{
	if (map_get(&listing->seen, source->name))
		return 0;
	if (map_put(&listing->seen, source->name, listing) < 0)
		return err_nomem(err);
	return dirlist_add(listing->out, source->name, strlen(source->name),
	    S_IFDIR,
	    key_number(NODE_REPO, key_of_repository(source, source->base)),
	    err);
}

static int add_host(void *arg, const char *host, struct err *err)
{
	const struct mount_source to_be = {.name = host, .base = ""};

	return add(arg, &to_be, err);
}

static int add_all(struct mount *mount, struct hosts_listing *listing,
    struct err *err)
{
	int r = 0;

	for (struct mount_source *source = mount_source_first(mount);
	     source && r == 0; source = source->next)
		r = add(listing, source, err);
	if (r == 0 && mount->hosts)
		r = hosts_each(mount->hosts, add_host, listing, err);
	return r;
}

static int hosts_list(struct node *dir, struct dirlist *out, struct err *err)
{
	struct hosts_listing listing = {out, MAP_INIT};
	int r = add_all(dir->mount, &listing, err);

	map_release(&listing.seen);
	return r;
}

/* Files and directories alike. */
static int make_nothing(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	(void)dir;
	(void)name;
	(void)mode;
	(void)out;
	return err_set(err, EPERM,
	    "the directories at the mount point are registries: create it in "
	    "HOST/REPOSITORY");
}

static int keep(struct node *dir, const char *name, struct err *err)
{
	(void)dir;
	return err_set(err, EPERM,
	    "this stands for a source of the mount, and stays: remove what is "
	    "in it (rm -r %s/REPOSITORY)",
	    name);
}

static int keep_name(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	(void)dir;
	(void)to_dir;
	(void)to_name;
	(void)flags;
	return err_set(err, EPERM,
	    "a source of the mount cannot be renamed: move the tags in it (mv "
	    "%s/REPOSITORY/TAG …)",
	    name);
}

const struct view_ops view_hosts = {
    .stat = hosts_stat,
    .free = hosts_node_free,
    .lookup = hosts_lookup,
    .list = hosts_list,
    .create = make_nothing,
    .mkdir = make_nothing,
    .unlink = keep,
    .rmdir = keep,
    .rename = keep_name,
};
