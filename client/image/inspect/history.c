/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a build as a table. */
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "image/inspect.h"
#include "oci/config.h"
#include "sizes.h"
#include "steps.h"

static const char unknown[] = "?";

/* What was on several lines of a Dockerfile has blanks where these ended. */
static int print_command(const char *command, struct buf *out, struct err *err)
{
	AUTO_FREE char *line = strdup(command);
	char *end = line;

	for (const char *p = command; line && *p; p++) {
		if (*p != ' ' && *p != '\t')
			*end++ = *p;
		else if (p[1] && p[1] != ' ' && p[1] != '\t')
			*end++ = ' ';
	}
	if (!line)
		return err_nomem(err);
	*end = '\0';
	return escape_visible(out, line, err);
}

static int print_line(struct buf *out, const char *created, const char *size,
    const char *unpacked, const char *layer, const char *command,
    struct err *err)
{
	int r = buf_addf(out, err, "%-20s  %6s  %8s  %5s  ", created, size,
	    unpacked, layer);

	if (r == 0)
		r = print_command(command, out, err);
	return r < 0 ? r : buf_addstr(out, "\n", err);
}

static int print_layer(struct image *image, size_t layer, const char *created,
    const char *command, struct buf *out, struct err *err)
{
	char size[SIZE_TEXT_SIZE], unpacked[SIZE_TEXT_SIZE], number[16];

	size_format(image->manifest->entries[layer].size, size);
	size_format(image_layer_unpacked(image, layer), unpacked);
	snprintf(number, sizeof(number), "%02zu", layer + 1);
	return print_line(out, created, size, unpacked, number, command, err);
}

static int print_step(struct image *image, const struct history_step *step,
    int layer, struct buf *out, struct err *err)
{
	char created[TIME_TEXT_SIZE] = "-";

	if (step->has_created)
		time_format(step->created, created, ERR_IGNORE);
	if (layer != NO_LAYER)
		return print_layer(image, (size_t)layer, created, step->command,
		    out, err);
	if (step->is_empty)
		return print_line(out, created, "0B", "0B", "-", step->command,
		    err);
	return print_line(out, created, unknown, unknown, unknown,
	    step->command, err);
}

int inspect_history(const struct inspection *of, struct buf *out,
    struct err *err)
{
	struct image *image = of->image;
	CLEANUP(steps_release) struct steps steps;
	int next = 0;
	int r = steps_read(image, &steps, err);

	if (r == 0)
		r = print_line(out, "CREATED", "SIZE", "UNPACKED", "LAYER",
		    "COMMAND", err);
	for (size_t i = 0; r == 0 && i < steps.history->count; i++) {
		const struct history_step *step = &steps.history->steps[i];

		r = print_step(image, step, steps_layer(&steps, step, &next),
		    out, err);
	}
	for (size_t i = 0;
	     r == 0 && !steps.are_paired && i < image->manifest->entry_count;
	     i++)
		r = print_layer(image, i, "-", unknown, out, err);
	return r;
}
