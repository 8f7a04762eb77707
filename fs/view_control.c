/* SPDX-License-Identifier: Apache-2.0 */
/* .registryfs: the mount's own files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "nodes.h"

/* More than the log keeps in memory. */
enum { LOG_FILE_MAX = 1 << 20 };

static int control_add(struct mount *mount, const struct view_ops *view,
    const char *key, struct node **out, struct err *err)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return err_nomem(err);
	node_init(node, mount, view, strdup(key), 0, 0);
	*out = node_add(mount->nodes, node, err);
	return *out ? 0 : -err->code;
}

int control_node(struct mount *mount, struct node **out, struct err *err)
{
	return control_add(mount, &view_control, "control", out, err);
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
	if (strcmp(name, "log"))
		return err_set(err, ENOENT, "%s: no such name", name);
	return control_add(dir->mount, &view_log, "control/log", out, err);
}

static int control_list(struct node *dir, struct dirlist *out, struct err *err)
{
	(void)dir;
	return dirlist_add(out, "log", strlen("log"), S_IFREG,
	    node_number("control/log"), err);
}

const struct view_ops view_control = {
    .stat = control_stat,
    .free = control_free,
    .lookup = control_lookup,
    .list = control_list,
};

static int log_stat(struct node *node, struct stat *out, struct err *err)
{
	(void)err;
	mount_stat_file(node->mount, node, log_recent_size(), out);
	/* By which the kernel knows that what it has of it is old. */
	mount_stat_time(out, time(NULL), 0);
	out->st_mode = S_IFREG | 0444;
	return 0;
}

/* A descriptor reads the log as it was when it was opened. */
static int log_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	struct buf *text = malloc(sizeof(*text));
	int r;

	(void)node;
	(void)flags;
	if (!text)
		return err_nomem(err);
	*text = BUF_INIT(LOG_FILE_MAX);
	r = log_recent(text, err);
	if (r < 0) {
		buf_release(text);
		free(text);
		return r;
	}
	handle->file = text;
	handle->direct = true;
	return 0;
}

static ssize_t log_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct buf *text = handle->file;

	(void)err;
	if (off >= text->len)
		return 0;
	if (len > text->len - off)
		len = (size_t)(text->len - off);
	memcpy(data, text->data + off, len);
	return (ssize_t)len;
}

static void log_close(struct handle *handle)
{
	buf_release(handle->file);
	free(handle->file);
}

const struct view_ops view_log = {
    .stat = log_stat,
    .free = control_free,
    .open = log_open,
    .read = log_read,
    .close = log_close,
};
