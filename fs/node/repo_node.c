/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of namespaces and repositories. */
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "key.h"
#include "nodes.h"

struct repo_node {
	struct node node;
	char *repository; /* "" at the top */
};

const char *repo_node_repository(const struct node *node)
{
	return container_of(node, const struct repo_node, node)->repository;
}

static struct node *repo_node_alloc(struct mount_source *source,
    const char *repository)
{
	struct repo_node *repo = calloc(1, sizeof(*repo));

	if (!repo)
		return NULL;
	repo->repository = strdup(repository);
	node_init(&repo->node, source, NODE_REPO,
	    repo->repository ? key_of_repository(source, repository) : NULL,
	    source->tag_ttl, source->tag_ttl);
	return &repo->node;
}

int repo_node(struct mount_source *source, const char *repository,
    struct node **out, struct err *err)
{
	struct node *node = repo_node_alloc(source, repository);

	if (!node)
		return err_nomem(err);
	*out = node_add(source->mount->nodes, node, err);
	return *out ? 0 : -err->code;
}

int repo_node_root(struct mount_source *source, const char *repository,
    struct node **out, struct err *err)
{
	struct node *node = repo_node_alloc(source, repository);

	if (!node)
		return err_nomem(err);
	*out = node_add_root(source->mount->nodes, node, err);
	return *out ? 0 : -err->code;
}

void repo_node_free(struct node *node)
{
	struct repo_node *repo = container_of(node, struct repo_node, node);

	free(repo->repository);
	free(repo);
}
