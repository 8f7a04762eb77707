/* SPDX-License-Identifier: Apache-2.0 */
/* The history of an image out of its config. */
#include "oci/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/parse.h"
#include "base/strf.h"
#include "oci/config.h"
#include "oci/manifest.h"
#include "json/document.h"

struct parsed_history {
	struct history history; /* first: history_free() gets its address */
	struct arena arena;
};

/* The shells of docker's builders, on Linux and on Windows. */
static const char *const shells[] = {"/bin/sh -c ", "cmd /S /C "};

static bool skip_shell(const char **text)
{
	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++)
		if (parse_literal(text, shells[i]))
			return true;
	return false;
}

/* "|2 A=b C=d e ": so many build arguments. Where one ends cannot be told from
 * its text: the shell comes after the last of them. */
static bool skip_arguments(const char **text)
{
	const char *p = *text, *shell = NULL;
	uint64_t count;

	if (!parse_literal(&p, "|") || !parse_u64(&p, UINT32_MAX, &count) ||
	    *p != ' ')
		return false;
	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++) {
		const char *found = strstr(p, shells[i]);

		if (found && (!shell || found < shell))
			shell = found;
	}
	if (shell)
		*text = shell;
	return shell != NULL;
}

static char *run(const char *command, size_t len)
{
	return strf("RUN %.*s", (int)len, command);
}

char *history_command(const char *created_by)
{
	static const char buildkit[] = " # buildkit";
	size_t mark = sizeof(buildkit) - 1, len = strlen(created_by);
	const char *text = created_by;
	bool is_run;

	if (len > mark && !strcmp(text + len - mark, buildkit))
		len -= mark;
	is_run = parse_literal(&text, "RUN ");
	skip_arguments(&text);
	if (!skip_shell(&text))
		return strndup(created_by, len);
	len -= (size_t)(text - created_by);
	if (is_run || strncmp(text, "#(nop)", 6) != 0)
		return run(text, len);
	text += 6;
	while (*text == ' ')
		text++;
	return strdup(text);
}

bool history_is_instruction(const char *command)
{
	static const char *const instructions[] = {"ADD", "ARG", "CMD", "COPY",
	    "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
	    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER",
	    "VOLUME", "WORKDIR"};
	size_t len = strcspn(command, " ");

	for (size_t i = 0; i < sizeof(instructions) / sizeof(*instructions);
	     i++)
		if (strlen(instructions[i]) == len && command[len] &&
		    !strncmp(command, instructions[i], len))
			return true;
	return false;
}

/* As with the time of the config itself, one that nobody can read is left
 * out. */
static void read_created(const char *text, struct history_step *step)
{
	char printed[TIME_TEXT_SIZE];
	uint32_t nanos;

	step->has_created =
	    parse_rfc3339(&text, &step->created, &nanos) && !*text &&
	    time_format(step->created, printed, ERR_IGNORE) == 0;
}

static int add_command(struct history_step *step, struct arena *texts,
    struct err *err)
{
	AUTO_FREE char *command = NULL;

	if (!*step->created_by) {
		step->command = step->comment;
		return 0;
	}
	command = history_command(step->created_by);
	step->command = command ? arena_strdup(texts, command) : NULL;
	return step->command ? 0 : err_nomem(err);
}

static int read_text(const json_t *object, const char *name,
    struct arena *texts, const char **out, struct err *err)
{
	int r = document_text(object, name, texts, out, err);

	if (r == 0 && !*out)
		*out = "";
	return r;
}

static int read_step(const json_t *object, struct arena *texts,
    struct history_step *step, struct err *err)
{
	const char *created = "";
	int r = json_is_object(object)
		    ? 0
		    : err_set(err, EINVAL, "it is not an object");

	if (r == 0)
		r = read_text(object, "created", texts, &created, err);
	if (r == 0)
		r = read_text(object, "created_by", texts, &step->created_by,
		    err);
	if (r == 0)
		r = read_text(object, "comment", texts, &step->comment, err);
	if (r == 0)
		r = read_text(object, "author", texts, &step->author, err);
	if (r < 0)
		return r;
	read_created(created, step);
	step->is_empty = json_is_true(json_object_get(object, "empty_layer"));
	return add_command(step, texts, err);
}

static int read_steps(const json_t *list, struct parsed_history *parsed,
    struct err *err)
{
	struct history *history = &parsed->history;
	size_t count = json_array_size(list);
	struct history_step *steps =
	    arena_array(&parsed->arena, count + 1, sizeof(*steps));

	if (!steps)
		return err_nomem(err);
	history->steps = steps;
	for (; history->count < count; history->count++) {
		struct history_step *step = &steps[history->count];
		int r = read_step(json_array_get(list, history->count),
		    &parsed->arena, step, err);

		if (r < 0)
			return err_wrap(err, "history[%zu]", history->count);
		history->layers += !step->is_empty;
	}
	return 0;
}

int history_parse(const void *data, size_t len, struct history **out,
    struct err *err)
{
	json_auto_t *root = NULL;
	CLEANUP(history_free_p) struct history *history = NULL;
	struct parsed_history *parsed;
	json_t *list = NULL;
	int r =
	    document_read(data, len, CONFIG_MAX_BYTES, JSON_OBJECT, &root, err);

	if (r == 0)
		r = document_member(root, "history", JSON_ARRAY, &list, err);
	if (r < 0)
		return r;
	parsed = calloc(1, sizeof(*parsed));
	if (!parsed)
		return err_nomem(err);
	history = &parsed->history;
	r = read_steps(list, parsed, err);
	if (r < 0)
		return r;
	*out = steal(&history);
	return 0;
}

void history_free(struct history *history)
{
	struct parsed_history *parsed = (struct parsed_history *)history;

	if (parsed)
		arena_release(&parsed->arena);
	free(parsed);
}
