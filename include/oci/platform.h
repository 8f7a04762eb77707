/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms, image-spec image-index.md "platform": os, architecture, variant. */
#ifndef OCI_PLATFORM_H
#define OCI_PLATFORM_H

#include <stdbool.h>

#include "base/err.h"

enum { PLATFORM_TEXT_SIZE = 3 * 64 };

struct platform {
	char os[64]; /* "" where unknown */
	char architecture[64];
	char variant[64];
	char os_version[64];
};

/* "os/arch[/variant]"; -EINVAL. */
int platform_parse(struct platform *platform, const char *text,
    struct err *err);

/* What this program runs on. */
struct platform platform_host(void);

/* Joined by sep: "linux/arm64/v8" with '/', "linux-arm64-v8" with '-'. */
const char *platform_format(const struct platform *platform, char sep,
    char out[PLATFORM_TEXT_SIZE]);

/*
 * How well an image for `have` serves a machine `want`: 0 not at all, larger is
 * better. An exact variant wins, then lower arm variants (v8 > v7 > v6 > v5);
 * arm64 without a variant is v8.
 */
int platform_match(const struct platform *want, const struct platform *have);

#endif
