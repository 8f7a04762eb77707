/* SPDX-License-Identifier: Apache-2.0 */
/* Image configurations: image-spec config.md, and Docker's, which it follows. */
#ifndef OCI_CONFIG_H
#define OCI_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "oci/digest.h"
#include "oci/platform.h"

struct config {
	struct platform platform;
	int64_t created; /* seconds since 1970; 0 if absent or unreadable */
	uint32_t created_nanos;
	const struct digest
	    *diff_ids; /* of the uncompressed layers, base first */
	size_t diff_id_count;
};

/* *out is to be freed with config_free(). -EINVAL with a sentence. */
int config_parse(const void *data, size_t len, struct config **out,
    struct err *err);
void config_free(struct config *config);

DEFINE_CLEANUP(struct config *, config_free);

/* Prints the config of an image that is made of bare layers. `created` in
 * seconds since 1970, `comment` the history entry's. */
int config_print(struct buf *out, const struct platform *platform,
    int64_t created, const struct digest *diff_ids, size_t diff_id_count,
    const char *comment, struct err *err);

#endif
