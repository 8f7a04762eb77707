/* SPDX-License-Identifier: Apache-2.0 */
/* An image by the indexes of its layers. */
#include "analysis.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "image/trees.h"
#include "layer/changes.h"

/* The path that is told of, until the next one is. */
struct current {
	char *path;        /* NULL before the first */
	bool is_file;      /* in the end */
	uint64_t size;     /* then */
	uint64_t hidden;   /* bytes that layers hide */
	uint64_t smallest; /* of its sizes, dive's way; UINT64_MAX: none yet */
	uint64_t stored;
};

struct analyst {
	struct analysis *out;
	struct current current;
	char *directory; /* the one that is added up, or NULL */
	uint64_t directory_bytes;
};

/* Takes the path. */
static void rank(struct ranking *ranking, char *path, uint64_t bytes)
{
	struct ranked *list = ranking->list;
	size_t at = ranking->count;

	if (at == RANKING_MAX && bytes > list[at - 1].bytes) {
		at--;
		ranking->rest += list[at].bytes;
		free(list[at].path);
		ranking->count--;
	}
	if (at == RANKING_MAX || !path || !bytes) {
		ranking->rest += bytes;
		free(path);
		return;
	}
	for (; at > 0 && list[at - 1].bytes < bytes; at--)
		list[at] = list[at - 1];
	list[at] = (struct ranked){path, bytes};
	ranking->count++;
}

static void end_directory(struct analyst *self)
{
	rank(&self->out->directories, steal(&self->directory),
	    self->directory_bytes);
	self->directory_bytes = 0;
}

/* The length of the path's first two components, or of what there is above a
 * file. */
static size_t directory_length(const char *path)
{
	const char *first = strchr(path, '/');
	const char *second = first ? strchr(first + 1, '/') : NULL;

	return second  ? (size_t)(second - path)
	       : first ? (size_t)(first - path)
		       : 0;
}

static void add_to_directory(struct analyst *self, const char *path,
    uint64_t bytes)
{
	size_t len = directory_length(path);

	if (!self->directory || strlen(self->directory) != len ||
	    strncmp(self->directory, path, len) != 0) {
		end_directory(self);
		self->directory = strndup(path, len);
	}
	self->directory_bytes += bytes;
}

static void end_path(struct analyst *self)
{
	struct current *current = &self->current;
	struct analysis *out = self->out;

	if (!current->path)
		return;
	if (current->smallest != UINT64_MAX)
		out->smallest += current->smallest;
	out->stored += current->stored;
	out->hidden += current->hidden;
	if (current->is_file) {
		out->files++;
		out->bytes += current->size;
		add_to_directory(self, current->path, current->size);
	}
	if (current->hidden)
		rank(&out->wasted, strdup(current->path), current->hidden);
	if (current->is_file)
		rank(&out->largest, steal(&current->path), current->size);
	free(current->path);
	*current = (struct current){0};
}

static int begin_path(struct analyst *self, const char *path, struct err *err)
{
	if (self->current.path && !strcmp(self->current.path, path))
		return 0;
	end_path(self);
	self->current.path = strdup(path);
	self->current.smallest = UINT64_MAX;
	return self->current.path ? 0 : err_nomem(err);
}

static bool is_file(const struct layer_entry *entry)
{
	return entry && !S_ISDIR(entry->mode);
}

static void count_files(struct tally *tally, const struct layer_change *change)
{
	bool before = is_file(change->before), after = is_file(change->after);

	tally->added += after && !before;
	tally->changed += after && before;
	tally->removed += before && !after;
	tally->hidden += change->size_before;
}

/* A path has so many bytes in one more layer. */
static void add_stored(struct current *current, uint64_t size)
{
	current->stored += size;
	if (size < current->smallest)
		current->smallest = size;
}

static void count_stored(struct analyst *self,
    const struct layer_change *change)
{
	if (is_file(change->after))
		add_stored(&self->current, change->size_after);
	else if (is_file(change->before) && change->kind == LAYER_REMOVES &&
		 change->removal == REMOVED_ITSELF)
		add_stored(&self->current, 0);
	if (change->kind == LAYER_REMOVES &&
	    change->removal == REMOVED_WITH_DIRECTORY) {
		self->out->smallest += change->size_before;
		self->out->stored += change->size_before;
	}
}

static int take(void *arg, const struct layer_change *change, struct err *err)
{
	struct analyst *self = arg;
	int r = begin_path(self, change->path, err);

	if (r < 0)
		return r;
	count_files(&self->out->layers[change->layer], change);
	count_stored(self, change);
	self->current.hidden += change->size_before;
	self->current.is_file = is_file(change->after);
	self->current.size = change->size_after;
	return 0;
}

static int analyse(const struct layer_index *const *indexes, size_t count,
    struct analysis *out, struct err *err)
{
	struct analyst self = {.out = out};
	int r = layer_changes(indexes, count, take, &self, err);

	end_path(&self);
	end_directory(&self);
	return r;
}

/* The indexes live as long as the layers. */
static int open_layers(struct image *image, struct layer **layers,
    const struct layer_index **indexes, size_t *unknown, struct err *err)
{
	for (size_t i = 0; i < image->manifest->entry_count; i++) {
		int r = image_layer(image, i, &layers[i], err);

		if (r < 0)
			return r;
		indexes[i] = layer_index_known(layers[i]);
		*unknown += !indexes[i];
	}
	return 0;
}

int analysis_of(struct image *image, struct analysis *out, struct err *err)
{
	size_t count = image->manifest->entry_count;
	AUTO_FREE struct layer **layers = calloc(count + 1, sizeof(*layers));
	AUTO_FREE const struct layer_index **indexes =
	    calloc(count + 1, sizeof(*indexes));
	int r;

	*out = (struct analysis){
	    .layers = calloc(count + 1, sizeof(*out->layers))};
	if (!layers || !indexes || !out->layers)
		return err_nomem(err);
	r = open_layers(image, layers, indexes, &out->unknown, err);
	if (r == 0 && !out->unknown)
		r = analyse(indexes, count, out, err);
	for (size_t i = 0; i < count; i++)
		layer_put(layers[i]);
	return r;
}

static void ranking_release(struct ranking *ranking)
{
	for (size_t i = 0; i < ranking->count; i++)
		free(ranking->list[i].path);
}

void analysis_release(struct analysis *analysis)
{
	free(analysis->layers);
	ranking_release(&analysis->largest);
	ranking_release(&analysis->wasted);
	ranking_release(&analysis->directories);
}

double analysis_efficiency(const struct analysis *analysis)
{
	return analysis->stored
		   ? (double)analysis->smallest / (double)analysis->stored
		   : 1;
}
