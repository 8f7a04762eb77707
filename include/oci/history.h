/* SPDX-License-Identifier: Apache-2.0 */
/* How an image was built, as its config tells it: image-spec config.md,
 * "history". */
#ifndef OCI_HISTORY_H
#define OCI_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

/* Texts are as the config has them, and "" where it has none. */
struct history_step {
	bool has_created;
	int64_t created; /* seconds since 1970; time_format() can print it */
	bool is_empty;   /* it made no layer */
	const char *created_by, *comment, *author;
	/* What was done, as one writes it in a Dockerfile: created_by without
	 * the frames that builders put around it, else the comment. */
	const char *command;
};

struct history {
	size_t count;
	size_t layers;                    /* steps that made one */
	const struct history_step *steps; /* the first one first */
};

/*
 * The history in a config's bytes; of no steps where it has none. *out is to be
 * freed with history_free(). -EINVAL with a sentence.
 */
int history_parse(const void *data, size_t len, struct history **out,
    struct err *err);
void history_free(struct history *history);

DEFINE_CLEANUP(struct history *, history_free);

/*
 * The command that builders wrote as created_by, a new string or NULL:
 *
 *	/bin/sh -c #(nop)  CMD ["a"]            docker, buildah: CMD ["a"]
 *	/bin/sh -c make                         RUN make
 *	|1 A=b /bin/sh -c make                  RUN make
 *	RUN |1 A=b /bin/sh -c make # buildkit   RUN make
 *	COPY . /app # buildkit                  COPY . /app
 *
 * A shell that is not docker's own stays. So does any other text (kaniko's are
 * lines of a Dockerfile, those of bazel and jib are not).
 */
char *history_command(const char *created_by);

/* Whether a command is an instruction of a Dockerfile. */
bool history_is_instruction(const char *command);

#endif
