/* SPDX-License-Identifier: Apache-2.0 */
/* Texts about an image (image/inspect.h), made when they are opened. */
#include "image/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "control/snapshot.h"
#include "makers.h"
#include "node/key.h"

static inspect_print *const prints[IMAGE_TEXTS] = {
    [IMAGE_HISTORY] = inspect_history,
    [IMAGE_HISTORY_JSON] = inspect_history_json,
    [IMAGE_DOCKERFILE] = inspect_dockerfile,
    [IMAGE_REPORT] = inspect_report,
    [IMAGE_BADGE_SVG] = inspect_badge_svg,
    [IMAGE_BADGE_JSON] = inspect_badge_json,
};

struct inspected {
	struct image *image, *top;
	char *tag; /* NULL: it was found by its digest */
	inspect_print *print;
};

static void inspected_free(void *arg)
{
	struct inspected *self = arg;

	image_put(self->image);
	image_put(self->top);
	free(self->tag);
	free(self);
}

static int print(const struct node *node, struct buf *out, struct err *err)
{
	const struct inspected *self = snapshot_arg(node);

	return self->print(&(struct inspection){self->image, self->top,
			       self->tag},
	    out, err);
}

int image_text_node(struct node *dir, enum image_text_id id,
    const struct inspection *of, struct node **out, struct err *err)
{
	struct inspected *self;
	AUTO_FREE char *key = NULL;

	if (id == IMAGE_FILES_TABLE)
		return files_listing_node(dir, image_texts[id], of->image, out,
		    err);
	self = calloc(1, sizeof(*self));
	if (!self)
		return err_nomem(err);
	*self = (struct inspected){.image = image_get(of->image),
	    .top = image_get(of->top),
	    .tag = of->tag ? strdup(of->tag) : NULL,
	    .print = prints[id]};
	key = key_of_part(dir, image_texts[id], &of->image->digest);
	if (!key) {
		inspected_free(self);
		return err_nomem(err);
	}
	return snapshot_node(dir, image_texts[id], key,
	    &(struct snapshot_text){print, self, inspected_free}, out, err);
}
