/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: os, architecture, variant; image-spec image-index.md. */
#ifndef OCI_PLATFORM_H
#define OCI_PLATFORM_H

#include <stdbool.h>

#include "base/err.h"

enum {
	PLATFORM_NAME_SIZE = 64, /* several times the longest name in use */
	PLATFORM_TEXT_SIZE = 3 * PLATFORM_NAME_SIZE
};

/* A value; its strings are as they were found, in any characters. */
struct platform {
	char os[PLATFORM_NAME_SIZE]; /* "" where unknown */
	char architecture[PLATFORM_NAME_SIZE];
	char variant[PLATFORM_NAME_SIZE];
	char os_version[PLATFORM_NAME_SIZE];
};

/*
 * "os/arch[/variant]"; -EINVAL. Architectures under other names than Go's
 * (x86_64, aarch64, armhf) become those.
 */
int platform_parse(struct platform *platform, const char *text,
    struct err *err);

/* What this program runs on. */
struct platform platform_host(void);

/*
 * Joined by sep: "linux/arm64/v8" with '/', "linux-arm64-v8" with '-'. Fit for
 * a file name, whatever was found: what is empty reads "unknown", and '_'
 * stands for each character other than letters, digits and "._-".
 */
const char *platform_format(const struct platform *platform, char sep,
    char out[PLATFORM_TEXT_SIZE]);

/*
 * How well an image for `have` serves a machine `want`: 0 not at all, larger is
 * better. An exact variant wins, then lower ones of arm, arm64 and amd64
 * (v8 > v7 > v6 > v5); arm without a variant is v7, arm64 v8, amd64 v1.
 * os_version counts for nothing.
 */
int platform_match(const struct platform *want, const struct platform *have);

#endif
