/* SPDX-License-Identifier: Apache-2.0 */
/* From a manifest's layers to trees. */
#include "image/trees.h"

#include <stdlib.h>

#include "origin.h"

int image_layer(struct image *image, size_t number, struct layer **out,
    struct err *err)
{
	struct store_source source;
	int r = origin_source(image, &source, err);

	return r < 0
		   ? r
		   : layer_open(images_layers(image->images),
			 &image->manifest->entries[number], &source, out, err);
}

static void put_layers(struct layer **layers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		layer_put(layers[i]);
}

int image_tree(struct image *image, struct tree **out, struct err *err)
{
	size_t count = image->manifest->entry_count, opened = 0;
	AUTO_FREE struct layer **layers = calloc(count + 1, sizeof(*layers));
	int r = layers ? 0 : err_nomem(err);

	while (r == 0 && opened < count) {
		r = image_layer(image, opened, &layers[opened], err);
		opened += r == 0;
	}
	if (r == 0)
		r = tree_new(images_store(image->images), layers, count, out,
		    err);
	if (layers)
		put_layers(layers, opened);
	return r;
}

int image_layer_tree(struct image *image, size_t number, struct tree **out,
    struct err *err)
{
	CLEANUP(layer_put_p) struct layer *layer = NULL;
	int r = image_layer(image, number, &layer, err);

	return r < 0 ? r : tree_new_layer(layer, out, err);
}
