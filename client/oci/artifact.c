/* SPDX-License-Identifier: Apache-2.0 */
/* What files that describe images are, and are called. */
#include "oci/artifact.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SPDX "application/spdx+json"
#define SPDX_TEXT "text/spdx"
#define CYCLONEDX "application/vnd.cyclonedx+json"
#define CYCLONEDX_XML "application/vnd.cyclonedx+xml"
#define IN_TOTO "application/vnd.in-toto+json"
#define IN_TOTO_BUNDLE "application/vnd.in-toto.bundle"
#define DSSE "application/vnd.dsse.envelope.v1+json"
#define SIGSTORE "application/vnd.dev.sigstore.bundle"
#define OCTETS "application/octet-stream"

/*
 * By the beginning of their type, the first that fits: versions and encodings
 * stand after it. The types are those that cosign, notation, buildkit, oras
 * and regctl write.
 */
static const struct {
	const char *type;
	const char *name;
	const char *ending;
} kinds[] = {
    {SPDX, "spdx", ".spdx.json"},
    {"text/spdx+json", "spdx", ".spdx.json"},
    {"text/spdx+xml", "spdx", ".spdx.xml"},
    {SPDX_TEXT, "spdx", ".spdx"},
    {CYCLONEDX, "cyclonedx", ".cdx.json"},
    {CYCLONEDX_XML, "cyclonedx", ".cdx.xml"},
    {"application/vnd.cyclonedx", "cyclonedx", ""},
    {"application/vnd.syft", "syft", ".syft.json"},
    {IN_TOTO_BUNDLE, "in-toto", ".intoto.jsonl"},
    {"application/vnd.in-toto", "in-toto", ".intoto.json"},
    {DSSE, "in-toto", ".intoto.json"},
    {SIGSTORE, "sigstore", ".sigstore.json"},
    {"application/vnd.dev.cosign.artifact.sig.", "cosign-signature", ""},
    {"application/vnd.dev.cosign.artifact.sbom.", "cosign-sbom", ""},
    {"application/vnd.dev.cosign.simplesigning.", "cosign-signature", ".json"},
    {"application/vnd.cncf.notary.signature", "notation", ""},
    {"application/vnd.docker.attestation.", "attestation", ""},
    {"application/vnd.amazon.soci.index.", "soci", ""},
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *ending)
{
	size_t len = strlen(text), tail = strlen(ending);

	return len > tail && strcmp(text + len - tail, ending) == 0;
}

const char *artifact_name(const char *artifact_type)
{
	for (size_t i = 0; i < KINDS; i++)
		if (starts_with(artifact_type, kinds[i].type))
			return kinds[i].name;
	return "artifact";
}

const char *layer_ending(const char *media_type)
{
	static const struct {
		const char *type;
		const char *ending;
	} tars[] = {
	    {"tar+gzip", ".tar.gz"},
	    {"tar.gzip", ".tar.gz"},
	    {"tar+zstd", ".tar.zst"},
	    {"tar.zstd", ".tar.zst"},
	    {".tar", ".tar"},
	    {"+encrypted", ".tar.encrypted"},
	};

	for (size_t i = 0; i < sizeof(tars) / sizeof(*tars); i++)
		if (ends_with(media_type, tars[i].type))
			return tars[i].ending;
	return NULL;
}

const char *artifact_ending(const char *media_type)
{
	const char *ending = layer_ending(media_type);

	for (size_t i = 0; i < KINDS; i++)
		if (starts_with(media_type, kinds[i].type))
			return kinds[i].ending;
	return ending                           ? ending
	       : ends_with(media_type, "+json") ? ".json"
	       : ends_with(media_type, "+xml")  ? ".xml"
						: "";
}

/* restricted-name of RFC 6838, 4.2 */
static size_t name_length(const char *text, size_t len)
{
	size_t n = 0;

	while (
	    n < len && (isalnum((unsigned char)text[n]) ||
			   (n > 0 && text[n] && strchr("!#$&-^_.+", text[n]))))
		n++;
	return n;
}

bool artifact_type_valid(const char *type, size_t len)
{
	size_t top = name_length(type, len);
	size_t sub;

	if (len >= ARTIFACT_TYPE_SIZE || top == 0 || top == len ||
	    type[top] != '/')
		return false;
	sub = name_length(type + top + 1, len - top - 1);
	return sub > 0 && top + 1 + sub == len;
}

/* A member of a JSON document that tells what it is. */
struct sign {
	const char *key;
	const char *value; /* begins so */
	const char *artifact_type;
	const char *media_type;
};

static const struct sign signs[] = {
    {"spdxVersion", "SPDX-", SPDX, SPDX},
    {"@context", "https://spdx.org/rdf/", SPDX, SPDX},
    {"bomFormat", "CycloneDX", CYCLONEDX, CYCLONEDX},
    {"_type", "https://in-toto.io/Statement/", IN_TOTO, IN_TOTO},
    {"payloadType", "application/vnd.in-toto", IN_TOTO, DSSE},
    {"mediaType", SIGSTORE, SIGSTORE, SIGSTORE},
};

void artifact_sniffer_init(struct artifact_sniffer *sniffer)
{
	memset(sniffer, 0, sizeof(*sniffer));
}

static void member(struct artifact_sniffer *sniffer)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		if (sniffer->sign || strcmp(sniffer->key, signs[i].key) != 0 ||
		    !starts_with(sniffer->text, signs[i].value))
			continue;
		sniffer->sign = &signs[i];
		memcpy(sniffer->value, sniffer->text, sizeof(sniffer->text));
	}
}

/* A string of the outermost object has ended. */
static void string_end(struct artifact_sniffer *sniffer)
{
	sniffer->text[sniffer->text_len] = '\0';
	if (sniffer->is_value)
		member(sniffer);
	else
		snprintf(sniffer->key, sizeof(sniffer->key), "%.*s",
		    (int)sizeof(sniffer->key) - 1, sniffer->text);
}

static void string_byte(struct artifact_sniffer *sniffer, char c)
{
	if (!sniffer->escaped && c == '"') {
		sniffer->in_string = false;
		if (sniffer->depth == 1 && sniffer->documents == 0)
			string_end(sniffer);
		return;
	}
	sniffer->escaped = !sniffer->escaped && c == '\\';
	/* What matters has no escapes but "\/"; what is cut is longer than
	 * anything that does. */
	if (!sniffer->escaped && sniffer->text_len + 1 < sizeof(sniffer->text))
		sniffer->text[sniffer->text_len++] = c;
}

static void json_byte(struct artifact_sniffer *sniffer, char c)
{
	bool outermost = sniffer->depth == 1;

	if (sniffer->in_string) {
		string_byte(sniffer, c);
	} else if (c == '"') {
		sniffer->in_string = true;
		sniffer->text_len = 0;
		sniffer->broken |= sniffer->depth == 0;
	} else if (c == '{' || c == '[') {
		sniffer->depth++;
	} else if (c == '}' || c == ']') {
		sniffer->broken |= sniffer->depth == 0;
		sniffer->depth--;
		sniffer->documents += outermost;
	} else if (outermost && (c == ':' || c == ',')) {
		sniffer->is_value = c == ':';
	} else if (sniffer->depth == 0 && !isspace((unsigned char)c)) {
		sniffer->broken = true;
	}
}

void artifact_sniff(struct artifact_sniffer *sniffer, const char *data,
    size_t len)
{
	size_t room = sizeof(sniffer->head) - 1 - sniffer->head_len;
	size_t n = len < room ? len : room;

	memcpy(sniffer->head + sniffer->head_len, data, n);
	sniffer->head_len += n;
	for (size_t i = 0; i < len && !sniffer->broken; i++)
		json_byte(sniffer, data[i]);
}

static void say(struct artifact_kind *out, const char *artifact_type,
    const char *media_type)
{
	snprintf(out->artifact_type, sizeof(out->artifact_type), "%s",
	    artifact_type);
	snprintf(out->media_type, sizeof(out->media_type), "%s", media_type);
}

static bool by_json(const struct artifact_sniffer *sniffer,
    struct artifact_kind *out)
{
	const struct sign *sign = sniffer->sign;
	size_t len = strcspn(sniffer->value, "; \t");
	bool whole = !sniffer->broken && !sniffer->depth && sniffer->documents;

	if (!sign || !whole)
		return false;
	say(out, sign->artifact_type, sign->media_type);
	/* A bundle names its version. */
	if (strcmp(sign->media_type, SIGSTORE) == 0 &&
	    artifact_type_valid(sniffer->value, len)) {
		char versioned[sizeof(sniffer->value)];

		snprintf(versioned, sizeof(versioned), "%.*s", (int)len,
		    sniffer->value);
		say(out, versioned, versioned);
	}
	if (strcmp(sign->media_type, DSSE) == 0 && sniffer->documents > 1)
		say(out, sign->artifact_type, IN_TOTO_BUNDLE);
	return true;
}

static bool by_head(const struct artifact_sniffer *sniffer,
    struct artifact_kind *out)
{
	const char *head = sniffer->head;

	head += strspn(head, " \t\r\n");
	if (*head == '<' && strstr(head, "http://cyclonedx.org/schema/bom/"))
		say(out, CYCLONEDX_XML, CYCLONEDX_XML);
	else if (starts_with(head, "SPDXVersion: SPDX-") ||
		 strstr(head, "\nSPDXVersion: SPDX-"))
		say(out, SPDX_TEXT, SPDX_TEXT);
	else
		return false;
	return true;
}

static bool by_name(const char *name, struct artifact_kind *out)
{
	static const char *const types[] = {SPDX, SPDX_TEXT, CYCLONEDX,
	    CYCLONEDX_XML, IN_TOTO, IN_TOTO_BUNDLE};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (!ends_with(name, artifact_ending(types[i])))
			continue;
		say(out,
		    strcmp(types[i], IN_TOTO_BUNDLE) == 0 ? IN_TOTO : types[i],
		    types[i]);
		return true;
	}
	return false;
}

void artifact_sniffed(const struct artifact_sniffer *sniffer, const char *name,
    struct artifact_kind *out)
{
	if (!by_json(sniffer, out) && !by_head(sniffer, out) &&
	    !by_name(name, out))
		say(out, OCTETS, OCTETS);
}
