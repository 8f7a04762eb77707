/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of files: the same in whatever pieces a file is read, and a type. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "oci/artifact.h"

static void sniff(const uint8_t *data, size_t size, size_t step,
    struct artifact_kind *out)
{
	struct artifact_sniffer sniffer;

	artifact_sniffer_init(&sniffer);
	for (size_t at = 0; at < size; at += step)
		artifact_sniff(&sniffer, (const char *)data + at,
		    size - at < step ? size - at : step);
	artifact_sniffed(&sniffer, "name", out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct artifact_kind whole, pieces;

	sniff(data, size, size + 1, &whole);
	sniff(data, size, 7, &pieces);
	if (strcmp(whole.artifact_type, pieces.artifact_type) != 0 ||
	    strcmp(whole.media_type, pieces.media_type) != 0)
		abort();
	if (!artifact_type_valid(whole.artifact_type,
		strlen(whole.artifact_type)) ||
	    !artifact_type_valid(whole.media_type, strlen(whole.media_type)))
		abort();
	return 0;
}
