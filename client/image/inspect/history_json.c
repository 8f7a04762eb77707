/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a build, and the layers, for programs. */
#include "base/json.h"
#include "image/inspect.h"
#include "oci/config.h"
#include "steps.h"

static void print_time(struct json *json, const struct history_step *step)
{
	char created[TIME_TEXT_SIZE];

	if (step->has_created &&
	    time_format(step->created, created, ERR_IGNORE) == 0)
		json_text(json, "created", created);
	else
		json_null(json, "created");
}

static void print_step(struct json *json, const struct history_step *step,
    int layer)
{
	json_open(json, NULL, '{');
	print_time(json, step);
	json_text(json, "command", step->command);
	json_text(json, "created_by", step->created_by);
	json_text(json, "comment", step->comment);
	json_text(json, "author", step->author);
	json_bool(json, "empty_layer", step->is_empty);
	if (layer == NO_LAYER)
		json_null(json, "layer");
	else
		json_count(json, "layer", (uint64_t)layer + 1);
	json_close(json, '}');
}

static void print_layer(struct json *json, struct image *image, size_t number,
    const struct config *config)
{
	const struct descriptor *layer = &image->manifest->entries[number];
	char digest[DIGEST_TEXT_SIZE], diff_id[DIGEST_TEXT_SIZE];
	bool has_diff_id = config && number < config->diff_id_count;

	json_open(json, NULL, '{');
	json_count(json, "layer", number + 1);
	json_text(json, "digest", digest_format(&layer->digest, digest));
	json_text(json, "diff_id",
	    has_diff_id ? digest_format(&config->diff_ids[number], diff_id)
			: NULL);
	json_text(json, "media_type", layer->media_type);
	json_count(json, "size", layer->size);
	json_count(json, "unpacked_size", image_layer_unpacked(image, number));
	json_close(json, '}');
}

int inspect_history_json(const struct inspection *of, struct buf *out,
    struct err *err)
{
	struct image *image = of->image;
	struct json json = JSON_INIT(out, true, err);
	CLEANUP(steps_release) struct steps steps;
	const struct config *config;
	char digest[DIGEST_TEXT_SIZE];
	int next = 0;
	int r = steps_read(image, &steps, err);

	if (r == 0)
		r = image_config(image, &config, err);
	if (r < 0)
		return r;
	json_open(&json, NULL, '{');
	json_text(&json, "digest", digest_format(&image->digest, digest));
	json_open(&json, "steps", '[');
	for (size_t i = 0; i < steps.history->count; i++) {
		const struct history_step *step = &steps.history->steps[i];

		print_step(&json, step, steps_layer(&steps, step, &next));
	}
	json_close(&json, ']');
	json_open(&json, "layers", '[');
	for (size_t i = 0; i < image->manifest->entry_count; i++)
		print_layer(&json, image, i, config);
	json_close(&json, ']');
	json_close(&json, '}');
	return json.r;
}
