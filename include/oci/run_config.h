/* SPDX-License-Identifier: Apache-2.0 */
/* How a container of an image is run: image-spec config.md, "config". */
#ifndef OCI_RUN_CONFIG_H
#define OCI_RUN_CONFIG_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

struct text_list {
	const char **texts;
	size_t count;
};

/* Texts are as the config has them, and "" where it has none; of ports, volumes
 * and labels in the order of the config. */
struct run_config {
	const char *user, *working_dir, *stop_signal;
	struct text_list entrypoint, command, environment, ports, volumes;
	struct text_list label_names, label_values; /* as many */
};

/*
 * Reads the bytes of a config. What is of another type than it should be is
 * left out: this is for people to look at. *out is to be freed with
 * run_config_free(). -EINVAL where it is no JSON object.
 */
int run_config_parse(const void *data, size_t len, struct run_config **out,
    struct err *err);
void run_config_free(struct run_config *config);

DEFINE_CLEANUP(struct run_config *, run_config_free);

#endif
