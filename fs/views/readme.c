/* SPDX-License-Identifier: Apache-2.0 */
/* Why nothing is listed, and how to enter a repository all the same. */
#include "readme.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/snapshot.h"
#include "node/key.h"
#include "node/nodes.h"

#define NAME "README"

static bool is_top(const struct node *dir)
{
	return strcmp(repo_node_repository(dir), dir->source->base) == 0;
}

/* A namespace may be mounted before anything is in it, or by a wrong name. */
static void warn_of_nothing(const struct node *dir)
{
	struct mount_source *source = dir->source;
	const char *host = source_name(images_source(source->images));

	if (*source->base && !atomic_exchange(&source->is_told_empty, true))
		log_warn("%s/%s is empty: the registry has no image in a "
			 "repository of that name or below it",
		    host, source->base);
}

/* Whether the directory is the top of a source that is known not to list. */
static bool is_there(const struct node *dir)
{
	struct images *images = dir->source->images;

	return is_top(dir) && !images_listable(images) &&
	       !source_can(images_source(images), SOURCE_LISTS);
}

static int print(const struct node *node, struct buf *out, struct err *err)
{
	const char *host = source_name(images_source(node->source->images));

	return buf_addf(out, err,
	    "%s does not list its repositories here, so that this directory\n"
	    "looks empty. Enter a repository by its name, and it is listed "
	    "from then on:\n"
	    "ls NAME, ls NAMESPACE/NAME/TAG. A login may see more (registryfs "
	    "login\n%s), and the option list=DRIVER says which API is asked "
	    "for a list;\nregistryfs(1) has both, and the log here, "
	    ".registryfs/log, what was answered.\n",
	    host, host);
}

int readme_list(struct node *dir, struct dirlist *out, struct err *err)
{
	AUTO_FREE char *key = NULL;

	if (!is_there(dir)) {
		if (is_top(dir) && images_listable(dir->source->images))
			warn_of_nothing(dir);
		return 0;
	}
	key = key_of_child(dir, NAME);
	if (!key)
		return err_nomem(err);
	return dirlist_add(out, NAME, strlen(NAME), S_IFREG,
	    node_number(NODE_SNAPSHOT, key), err);
}

int readme_child(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	AUTO_FREE char *key = NULL;

	if (strcmp(name, NAME) != 0 || !is_there(dir))
		return 0;
	key = key_of_child(dir, NAME);
	if (!key)
		return err_nomem(err);
	return snapshot_node(dir, NAME, key,
		   &(struct snapshot_text){.print = print}, out, err) < 0
		   ? -err->code
		   : 1;
}

int readme_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	CLEANUP(names_put_p) struct names *catalog = NULL;

	if (strcmp(name, NAME) != 0 || !is_top(dir))
		return 0;
	images_catalog(dir->source->images, &catalog, ERR_IGNORE);
	return readme_child(dir, name, out, err);
}
