/* SPDX-License-Identifier: Apache-2.0 */
/* The Dockerfile that the steps of a build resemble. */
#include <string.h>

#include "base/escape.h"
#include "base/parse.h"
#include "base/strf.h"
#include "image/inspect.h"
#include "steps.h"

/*
 * Where a line of the Dockerfile ended in a backslash: docker joined it with
 * the next one, and kept the blanks that this began with. How many there are
 * with the one before the backslash; 0: it did not end here.
 */
static size_t joint(const char *text)
{
	size_t more = *text == ' ' ? strspn(text + 1, " \t") : 0;

	return more && (memchr(text + 1, '\t', more) ||
			   !strncmp(text + 1 + more, "&& ", 3))
		   ? 1 + more
		   : 0;
}

static int print_piece(const char *text, size_t len, struct buf *out,
    struct err *err)
{
	AUTO_FREE char *piece = strndup(text, len);

	return piece ? escape_visible(out, piece, err) : err_nomem(err);
}

/* Read by docker it is the same command. */
static int print_command(const char *command, struct buf *out, struct err *err)
{
	int r = 0;

	while (*command && r == 0) {
		size_t len = 0, blanks = joint(command);

		/* In a run of blanks that is no joint none begins. */
		while (!blanks && command[len] && !joint(command + len))
			len += command[len] == ' '
				   ? strspn(command + len, " \t")
				   : 1;
		r = blanks ? buf_addf(out, err, " \\\n%.*s", (int)blanks - 1,
				 command + 1)
			   : print_piece(command, len, out, err);
		command += blanks ? blanks : len;
	}
	return r < 0 ? r : buf_addstr(out, "\n", err);
}

/* "ADD file:0123… in / " as docker's first builder wrote it, and buildah: the
 * source is a digest, which nobody can copy from. */
static bool is_copy_of_digest(const char *command, const char **in)
{
	static const char *const kinds[] = {"file:", "dir:", "multi:"};

	if (!parse_literal(&command, "ADD ") &&
	    !parse_literal(&command, "COPY "))
		return false;
	*in = strstr(command, " in ");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (parse_literal(&command, kinds[i]))
			return *in;
	return false;
}

static int print_step(const struct history_step *step, struct buf *out,
    struct err *err)
{
	const char *command = step->command, *in;
	AUTO_FREE char *copy = NULL;
	int r;

	if (is_copy_of_digest(command, &in)) {
		copy = strf("%.*s %.*s", (int)(in - command), command,
		    (int)strcspn(in + 4, " "), in + 4);
		return copy ? print_command(copy, out, err) : err_nomem(err);
	}
	if (history_is_instruction(command))
		return print_command(command, out, err);
	r = buf_addstr(out, "# ", err);
	if (r == 0)
		r = print_piece(command, strlen(command), out, err);
	return r < 0 ? r : buf_addstr(out, "\n", err);
}

/* What some builders say of the image that theirs is made on: image-spec
 * annotations.md. */
static int print_base(const struct image *image, struct buf *out,
    struct err *err)
{
	static const char name[] = "org.opencontainers.image.base.name";
	const struct manifest *manifest = image->manifest;
	int r = 0;

	for (size_t i = 0; i < manifest->annotation_count && r == 0; i++) {
		const struct annotation *annotation = &manifest->annotations[i];

		if (strcmp(annotation->name, name) != 0)
			continue;
		r = buf_addstr(out, "# Base image: ", err);
		if (r == 0)
			r = escape_visible(out, annotation->value, err);
		if (r == 0)
			r = buf_addstr(out, "\n", err);
	}
	return r;
}

static int print_head(const struct image *image, const char *tag,
    struct buf *out, struct err *err)
{
	struct reference reference;
	char text[REFERENCE_TEXT_SIZE], digest[DIGEST_TEXT_SIZE];
	int r = image_reference(image, tag, &reference, err);

	if (r < 0)
		return r;
	r = buf_addf(out, err,
	    "# %s\n# %s\n"
	    "# Reconstructed from the history in the image's config. What "
	    "COPY and ADD took\n# is not in an image, nor which image it was "
	    "made on.\n",
	    reference_format(&reference, text),
	    digest_format(&image->digest, digest));
	if (r == 0)
		r = print_base(image, out, err);
	return r < 0 ? r : buf_addstr(out, "FROM scratch\n", err);
}

int inspect_dockerfile(const struct inspection *of, struct buf *out,
    struct err *err)
{
	struct image *image = of->image;
	CLEANUP(steps_release) struct steps steps;
	int r = steps_read(image, &steps, err);

	if (r == 0)
		r = print_head(image, of->tag, out, err);
	if (r == 0 && !steps.history->count)
		r = buf_addstr(out,
		    "# The image does not say how it was built.\n", err);
	for (size_t i = 0; r == 0 && i < steps.history->count; i++)
		r = print_step(&steps.history->steps[i], out, err);
	return r;
}
