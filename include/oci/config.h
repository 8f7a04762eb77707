/* SPDX-License-Identifier: Apache-2.0 */
/* Image configurations: image-spec config.md, which follows Docker's. */
#ifndef OCI_CONFIG_H
#define OCI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "oci/digest.h"
#include "oci/platform.h"

struct config {
	struct platform platform;
	/* Not where it is absent, or nobody can read it. */
	bool has_created;
	int64_t created; /* seconds since 1970; time_format() can print it */
	uint32_t created_nanos;
	const struct digest *diff_ids; /* of uncompressed layers, base first */
	size_t diff_id_count;
};

/*
 * Members that are absent are empty: the config of an artifact is an object
 * without any. *out is to be freed with config_free(). -EINVAL with a sentence.
 */
int config_parse(const void *data, size_t len, struct config **out,
    struct err *err);
void config_free(struct config *config);

DEFINE_CLEANUP(struct config *, config_free);

enum { TIME_TEXT_SIZE = sizeof("9999-12-31T23:59:59Z") };

/* Seconds since 1970 as RFC 3339, in UTC; -EINVAL where its year has not four
 * digits. */
int time_format(int64_t seconds, char out[TIME_TEXT_SIZE], struct err *err);

/*
 * Prints the config of an image that is made of bare layers, with a history
 * entry for each. `created` in seconds since 1970; -EINVAL if its year has not
 * four digits. `comment`, in UTF-8, is the history's. Deterministic.
 */
int config_print(struct buf *out, const struct platform *platform,
    int64_t created, const struct digest *diff_ids, size_t diff_id_count,
    const char *comment, struct err *err);

/*
 * Prints a config (its bytes) with other diff_ids in the place of its own.
 * Everything else stays, in its order. -EINVAL with a sentence.
 */
int config_change_diff_ids(struct buf *out, const void *data, size_t len,
    const struct digest *diff_ids, size_t diff_id_count, struct err *err);

#endif
