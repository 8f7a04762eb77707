/* SPDX-License-Identifier: Apache-2.0 */
/* What one layer does, as lines. */
#include "layer/changes.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "image/inspect.h"
#include "image/trees.h"

enum { LINE_MAX_BYTES = 1 << 16 };

struct wanted_layers {
	struct layer **layers; /* each wanted */
	const struct layer_index **indexes;
	size_t count;
};

static void layers_release(struct wanted_layers *wanted)
{
	for (size_t i = 0; i < wanted->count; i++) {
		layer_unwant(wanted->layers[i]);
		layer_put(wanted->layers[i]);
	}
	free(wanted->layers);
	free(wanted->indexes);
}

/* Those of the image up to `count`, whose indexes are made side by side. */
static int layers_want(struct image *image, size_t count,
    struct wanted_layers *out, struct err *err)
{
	int r = 0;

	out->layers = calloc(count, sizeof(*out->layers));
	out->indexes = calloc(count, sizeof(*out->indexes));
	if (!out->layers || !out->indexes)
		return err_nomem(err);
	while (out->count < count) {
		struct layer *layer;

		r = image_layer(image, out->count, &layer, err);
		if (r < 0)
			return r;
		r = layer_want(layer, err);
		if (r < 0) {
			layer_put(layer);
			return r;
		}
		out->layers[out->count++] = layer;
	}
	for (size_t i = 0; i < count && r == 0; i++)
		r = layer_await(out->layers[i], &out->indexes[i], err);
	return r;
}

struct changes_printer {
	size_t layer;
	struct sink *out;
};

/* Directories are in many layers for the sake of what is in them. */
static bool is_change(const struct layer_change *change)
{
	const struct layer_entry *before = change->before;
	const struct layer_entry *after = change->after;

	return !before || !after || !S_ISDIR(before->mode) ||
	       !S_ISDIR(after->mode) || before->mode != after->mode ||
	       before->uid != after->uid || before->gid != after->gid;
}

static int print_change(void *arg, const struct layer_change *change,
    struct err *err)
{
	static const char kinds[] = {'A', 'C', 'D'};
	const struct changes_printer *printer = arg;
	AUTO_BUF struct buf line = BUF_INIT(LINE_MAX_BYTES);
	int r;

	if (change->layer != printer->layer || !is_change(change))
		return 0;
	r = buf_addf(&line, err, "%c /", kinds[change->kind]);
	if (r == 0)
		r = escape_visible(&line, change->path, err);
	if (r == 0)
		r = buf_addstr(&line, "\n", err);
	return r < 0 ? r : sink_write(printer->out, line.data, line.len, err);
}

int inspect_changes(struct image *image, size_t layer, struct sink *out,
    struct err *err)
{
	CLEANUP(layers_release) struct wanted_layers wanted = {NULL, NULL, 0};
	struct changes_printer printer = {layer, out};
	int r = layers_want(image, layer + 1, &wanted, err);

	return r < 0 ? r
		     : layer_changes(wanted.indexes, layer + 1, print_change,
			   &printer, err);
}
