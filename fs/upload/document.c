/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of files of an image that are written to change it. */
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "document_node.h"
#include "node/key.h"

struct document_node *to_document(struct node *node)
{
	return container_of(node, struct document_node, node);
}

static char *document_key(const struct document *document)
{
	return key_of_document(document->dir, document->name,
	    document->content ? document->content->key : "", document->size);
}

int document_node(const struct document *document, struct node **out,
    struct err *err)
{
	struct document_node *self = calloc(1, sizeof(*self));
	struct mount_source *source = document->dir->source;

	if (!self) {
		struct write_intent intent = document->intent;

		intent_release(&intent);
		node_discard(document->content);
		return err_nomem(err);
	}
	pthread_mutex_init(&self->lock, NULL);
	self->intent = document->intent;
	self->content = document->content;
	self->size = document->size;
	if (document->lost)
		self->lost = *document->lost;
	node_init_in(&self->node, document->dir, document->name, NODE_DOCUMENT,
	    document_key(document), 0, 0);
	*out = node_add(source->mount->nodes, &self->node, err);
	return *out ? 0 : -err->code;
}

uint64_t document_number(const struct node *node)
{
	const struct document_node *self =
	    container_of(node, const struct document_node, node);

	return self->content
		   ? node_number(self->content->kind, self->content->key)
		   : node->ino;
}

struct save *document_save(const struct handle *handle)
{
	const struct document_file *file = handle->file;

	if (handle->node->kind != NODE_DOCUMENT || file->written)
		return NULL;
	return archive_content_save(file->content.node);
}

int document_image(struct node *node, struct image **out, struct err *err)
{
	const struct document_node *self = to_document(node);
	struct save *save =
	    self->content ? archive_content_save(self->content) : NULL;

	(void)err;
	if (!save)
		return 0;
	*out = image_get(save_image(save));
	return 1;
}

const struct write_intent *document_intent(const struct node *node)
{
	return &container_of(node, const struct document_node, node)->intent;
}

static int written(struct node *dir, struct document *document,
    struct node **out, struct err *err)
{
	struct write_intent *intent = &document->intent;
	CLEANUP(image_put_p) struct image *image = NULL;
	int r = 0;

	if (intent->effect == WRITE_ARCHIVE) {
		r = image_open_tag(dir->source->images, intent->repository,
		    intent->tag, &image, err);
		if (r == 0)
			r = archive_content(dir->source, image, intent->tag,
			    &document->content, err);
	}
	if (r < 0) {
		intent_release(intent);
		return r;
	}
	r = document_node(document, out, err);
	return r < 0 ? r : 1;
}

int document_written(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	struct document document = {.dir = dir, .name = name};
	bool by_caller;
	int r;

	if (!written_names_had(dir, name, &document.size, &by_caller))
		return 0;
	r = write_intent(dir, name, &document.intent, err);
	return r < 0 ? r : written(dir, &document, out, err);
}

int document_of_bundle(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	struct document document = {.dir = dir, .name = name};
	bool by_caller;
	int r;

	if (!written_names_had(dir, name, &document.size, &by_caller) ||
	    !by_caller)
		return 0;
	r = write_intent(dir, name, &document.intent, err);
	if (r == 0 && document.intent.effect == WRITE_BUNDLE)
		return written(dir, &document, out, err);
	intent_release(&document.intent);
	return r;
}

void document_free(struct node *node)
{
	struct document_node *self = to_document(node);

	node_discard(self->content);
	intent_release(&self->intent);
	pthread_mutex_destroy(&self->lock);
	free(self);
}
