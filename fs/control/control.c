/* SPDX-License-Identifier: Apache-2.0 */
/* .registryfs: the mount's own files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "control.h"
#include "metrics.h"
#include "snapshot.h"
#include "status.h"

static int print_log(const struct node *node, struct buf *out, struct err *err)
{
	(void)node;
	return log_recent(out, err);
}

static int print_as(struct mount *mount, struct buf *out,
    int (*print)(const struct status *, struct buf *, struct err *),
    struct err *err)
{
	CLEANUP(status_release) struct status status = {0};
	int r = status_take(mount, &status, err);

	return r < 0 ? r : print(&status, out, err);
}

static int print_status(const struct node *node, struct buf *out,
    struct err *err)
{
	return print_as(node->mount, out, status_print, err);
}

static int print_metrics(const struct node *node, struct buf *out,
    struct err *err)
{
	return print_as(node->mount, out, metrics_print, err);
}

static const struct control_file {
	const char *name;
	const char *key;
	snapshot_print *print; /* NULL: it is the events */
} files[] = {
    {"events", NULL, NULL},
    {"log", "control/log", print_log},
    {"metrics", "control/metrics", print_metrics},
    {"status.json", "control/status.json", print_status},
};

enum { FILES = sizeof(files) / sizeof(*files) };

bool control_is_at(const struct node *dir, const char *name)
{
	return dir->ino == NODE_ROOT && strcmp(name, ".registryfs") == 0;
}

int control_node(struct node *root, const char *name, struct node **out,
    struct err *err)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return err_nomem(err);
	node_init_in(node, root, name, NODE_CONTROL, strdup("control"), 0, 0);
	*out = node_add(root->mount->nodes, node, err);
	return *out ? 0 : -err->code;
}

static void control_free(struct node *node)
{
	free(node);
}

static int control_stat(struct node *node, struct stat *out, struct err *err)
{
	(void)err;
	mount_stat_dir(node->mount, node, out);
	return 0;
}

static int control_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	for (size_t i = 0; i < FILES; i++) {
		const struct control_file *file = &files[i];

		if (strcmp(name, file->name))
			continue;
		return file->print
			   ? snapshot_node(dir, name, file->key,
				 &(struct snapshot_text){.print = file->print},
				 out, err)
			   : events_node(dir, name, out, err);
	}
	if (strcmp(name, "search") == 0)
		return search_node(dir, name, out, err);
	return err_set(err, ENOENT, "no such name");
}

static int control_list(struct node *dir, struct dirlist *out, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < FILES && r == 0; i++) {
		const struct control_file *file = &files[i];

		r = dirlist_add(out, file->name, strlen(file->name), S_IFREG,
		    file->key ? node_number(NODE_SNAPSHOT, file->key)
			      : events_node_number(dir->mount),
		    err);
	}
	return r;
}

const struct view_ops view_control = {
    .stat = control_stat,
    .free = control_free,
    .lookup = control_lookup,
    .list = control_list,
};
