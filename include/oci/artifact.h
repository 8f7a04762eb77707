/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of artifacts that are attached to images: SBOMs, attestations,
 * signatures. What a file is, and what its kind is called.
 */
#ifndef OCI_ARTIFACT_H
#define OCI_ARTIFACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "oci/manifest.h"

/* An artifact type is a media type, and longer ones are nobody's (RFC 6838). */
enum { ARTIFACT_TYPE_SIZE = 256 };

struct artifact_kind {
	char artifact_type[ARTIFACT_TYPE_SIZE];
	char media_type[ARTIFACT_TYPE_SIZE]; /* of the file itself */
};

/*
 * Reads a file from front to end, in constant memory, and tells its kind by
 * what is in it:
 *
 *	artifact_sniffer_init(&sniffer);
 *	for each chunk: artifact_sniff(&sniffer, chunk, len);
 *	artifact_sniffed(&sniffer, name, &kind);
 */
struct artifact_sniffer {
	char head[1024];
	size_t head_len;
	/* Of JSON, as far as it was read. */
	unsigned depth;
	unsigned documents; /* of JSON lines */
	bool broken;
	bool in_string;
	bool escaped;
	bool is_value;  /* of the member `key` */
	char text[128]; /* a string of the outermost object */
	size_t text_len;
	char key[32];
	/* What was found. */
	const void *sign;
	char value[128];
};

void artifact_sniffer_init(struct artifact_sniffer *sniffer);
void artifact_sniff(struct artifact_sniffer *sniffer, const char *data,
    size_t len);

/* Where the content says nothing, the name's ending may; else it is
 * application/octet-stream. */
void artifact_sniffed(const struct artifact_sniffer *sniffer, const char *name,
    struct artifact_kind *out);

/* Whether it has the form of a media type without parameters. */
bool artifact_type_valid(const char *type, size_t len);

/* What an artifact of that type is called: "spdx", "in-toto", "artifact". */
const char *artifact_name(const char *artifact_type);

/* The ending of names of files of that type: ".spdx.json"; "" if unknown. */
const char *artifact_ending(const char *media_type);

/* The same of a tar, in an image or elsewhere: ".tar.gz"; NULL where the type
 * does not say that it is one. */
const char *layer_ending(const char *media_type);

#define ARTIFACT_CONFIG "{}" /* the config of all artifacts, an empty one */

/* A manifest that attaches one file to another manifest. */
struct artifact {
	const char *artifact_type;
	struct descriptor file;
	struct descriptor subject;
	int64_t created; /* seconds since 1970 */
};

/*
 * Prints it, an image manifest with the empty config: image-spec manifest.md
 * "Guidelines for Artifact Usage". Deterministic. -EINVAL if the year of
 * `created` has not four digits, or an annotation is not UTF-8.
 */
int artifact_print(struct buf *out, const struct artifact *artifact,
    struct err *err);

#endif
