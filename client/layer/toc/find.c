/* SPDX-License-Identifier: Apache-2.0 */
/* What the annotations of a layer's descriptor say of its table of contents. */
#include "base/parse.h"
#include "index/limits.h"
#include "toc.h"

#define ESTARGZ_DIGEST "containerd.io/snapshot/stargz/toc.digest"

/* The type of the table that zstd:chunked has: "CRFS", as is eStargz's. */
enum { CHUNKED_TYPE_CRFS = 1 };

struct annotation_names {
	const char *digest, *position;
};

/* The older one is what stargz and Debian 12 write. */
static const struct annotation_names chunked_names[] = {
    {"io.github.containers.zstd-chunked.manifest-checksum",
	"io.github.containers.zstd-chunked.manifest-position"},
    {"io.containers.zstd-chunked.manifest-checksum",
	"io.containers.zstd-chunked.manifest-position"},
};

static bool parse_digest(const char *text, struct digest *out)
{
	return digest_parse(out, text, ERR_IGNORE) == 0;
}

/* "offset:length:length of the JSON:type" */
static bool parse_position(const char *text, uint64_t blob_size,
    struct toc *out)
{
	const char *p = text;
	uint64_t type;

	return parse_u64(&p, blob_size, &out->offset) &&
	       parse_literal(&p, ":") &&
	       parse_u64(&p, blob_size - out->offset, &out->len) &&
	       parse_literal(&p, ":") &&
	       parse_u64(&p, TOC_DECODED_MAX, &out->decoded_len) &&
	       parse_literal(&p, ":") &&
	       parse_u64(&p, CHUNKED_TYPE_CRFS, &type) &&
	       type == CHUNKED_TYPE_CRFS && *p == '\0' && out->len > 0;
}

void toc_find(const struct descriptor *descriptor, struct toc *out)
{
	const char *digest;

	*out = (struct toc){0};
	/* stargz can write zstd:chunked, too. Its layers then have both
	 * digests, of which the other one is of no use. */
	for (size_t i = 0; i < sizeof(chunked_names) / sizeof(*chunked_names);
	     i++) {
		const struct annotation_names *names = &chunked_names[i];
		const char *position =
		    descriptor_annotation(descriptor, names->position);

		digest = descriptor_annotation(descriptor, names->digest);
		if (!digest || !position)
			continue;
		if (parse_digest(digest, &out->digest) &&
		    parse_position(position, descriptor->size, out))
			out->kind = TOC_CHUNKED;
		return;
	}
	digest = descriptor_annotation(descriptor, ESTARGZ_DIGEST);
	if (digest && parse_digest(digest, &out->digest))
		out->kind = TOC_ESTARGZ;
}
