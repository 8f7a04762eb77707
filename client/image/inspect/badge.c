/* SPDX-License-Identifier: Apache-2.0 */
/* The size of an image as a picture, and as shields.io draws one. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "image/inspect.h"
#include "sizes.h"

static const char label[] = "image size";

enum {
	MESSAGE_SIZE = SIZE_TEXT_SIZE + sizeof(", 10000 layers"),
	HEIGHT = 20,   /* pixels, as all badges have it */
	CHARACTER = 7, /* about, of 11 pixels' Verdana; the text is fitted */
	PADDING = 10,  /* of both sides */
};

static void message_of(struct image *image, char out[MESSAGE_SIZE])
{
	size_t layers = image->manifest->entry_count;
	char size[SIZE_TEXT_SIZE];

	size_format(image_sizes(image).layers, size);
	snprintf(out, MESSAGE_SIZE, "%s, %zu layer%s", size, layers,
	    layers == 1 ? "" : "s");
}

/* A field of a colour with a text on it. */
static int print_field(struct buf *out, size_t x, size_t width,
    const char *colour, const char *text, struct err *err)
{
	return buf_addf(out, err,
	    "<rect x=\"%zu\" width=\"%zu\" height=\"%d\" fill=\"%s\"/>\n"
	    "<text x=\"%zu\" y=\"14\" textLength=\"%zu\">%s</text>\n",
	    x, width, HEIGHT, colour, x + width / 2, width - PADDING, text);
}

static size_t width_of(const char *text)
{
	return CHARACTER * strlen(text) + PADDING;
}

int inspect_badge_svg(const struct inspection *of, struct buf *out,
    struct err *err)
{
	struct image *image = of->image;
	char message[MESSAGE_SIZE];
	size_t left = width_of(label), right;
	int r;

	message_of(image, message);
	right = width_of(message);
	r = buf_addf(out, err,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" "
	    "height=\"%d\" role=\"img\" aria-label=\"%s: %s\">\n"
	    "<title>%s: %s</title>\n"
	    "<clipPath id=\"r\"><rect width=\"%zu\" height=\"%d\" rx=\"3\"/>"
	    "</clipPath>\n"
	    "<g clip-path=\"url(#r)\" fill=\"#fff\" text-anchor=\"middle\" "
	    "font-family=\"Verdana,Geneva,DejaVu Sans,sans-serif\" "
	    "font-size=\"11\">\n",
	    left + right, HEIGHT, label, message, label, message, left + right,
	    HEIGHT);
	if (r == 0)
		r = print_field(out, 0, left, "#555", label, err);
	if (r == 0)
		r = print_field(out, left, right, "#0366d6", message, err);
	return r < 0 ? r : buf_addstr(out, "</g>\n</svg>\n", err);
}

/* https://shields.io/badges/endpoint-badge */
int inspect_badge_json(const struct inspection *of, struct buf *out,
    struct err *err)
{
	struct image *image = of->image;
	struct json json = JSON_INIT(out, true, err);
	char message[MESSAGE_SIZE];

	message_of(image, message);
	json_open(&json, NULL, '{');
	json_count(&json, "schemaVersion", 1);
	json_text(&json, "label", label);
	json_text(&json, "message", message);
	json_text(&json, "color", "blue");
	json_close(&json, '}');
	return json.r;
}
