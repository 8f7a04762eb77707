/* SPDX-License-Identifier: Apache-2.0 */
/* Image configurations out of JSON. */
#include "oci/config.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "descriptor.h"
#include "json/document.h"

struct parsed_config {
	struct config config; /* first: config_free() gets its address */
	struct digest diff_ids[];
};

/*
 * A time that nobody can read is no reason to refuse an image: builders have
 * written all sorts.
 */
static int read_created(const json_t *root, struct config *config,
    struct err *err)
{
	json_t *value;
	const char *text;
	char printed[TIME_TEXT_SIZE];
	int64_t seconds;
	uint32_t nanos;
	int r = document_member(root, "created", JSON_STRING, &value, err);

	if (r < 0 || !value)
		return r;
	text = json_string_value(value);
	/* The last hours of year 9999 are in the next one in UTC. */
	if (!parse_rfc3339(&text, &seconds, &nanos) || *text ||
	    time_format(seconds, printed, ERR_IGNORE) < 0)
		return 0;
	config->has_created = true;
	config->created = seconds;
	config->created_nanos = nanos;
	return 0;
}

/* The list of diff_ids, NULL where there is none. */
static int find_diff_ids(const json_t *root, json_t **out, struct err *err)
{
	json_t *rootfs;
	int r = document_member(root, "rootfs", JSON_OBJECT, &rootfs, err);

	*out = NULL;
	if (r < 0 || !rootfs)
		return r;
	r = document_member(rootfs, "diff_ids", JSON_ARRAY, out, err);
	if (r == 0 && json_array_size(*out) > MANIFEST_MAX_ENTRIES)
		r = err_set(err, EINVAL, "%zu diff_ids are more than %d",
		    json_array_size(*out), MANIFEST_MAX_ENTRIES);
	return r < 0 ? err_wrap(err, "rootfs") : 0;
}

static int read_diff_ids(const json_t *list, struct parsed_config *parsed,
    struct err *err)
{
	size_t count = json_array_size(list);

	for (size_t i = 0; i < count; i++)
		if (document_digest(json_array_get(list, i),
			&parsed->diff_ids[i], err) < 0)
			return err_wrap(err, "rootfs: diff_ids[%zu]", i);
	parsed->config.diff_ids = parsed->diff_ids;
	parsed->config.diff_id_count = count;
	return 0;
}

int config_parse(const void *data, size_t len, struct config **out,
    struct err *err)
{
	json_auto_t *root = NULL;
	CLEANUP(config_free_p) struct config *config = NULL;
	struct parsed_config *parsed;
	json_t *diff_ids;
	int r;

	r = document_read(data, len, CONFIG_MAX_BYTES, JSON_OBJECT, &root, err);
	if (r == 0)
		r = find_diff_ids(root, &diff_ids, err);
	if (r < 0)
		return r;
	parsed = calloc(1, sizeof(*parsed) + json_array_size(diff_ids) *
						 sizeof(struct digest));
	if (!parsed)
		return err_nomem(err);
	config = &parsed->config;
	r = read_diff_ids(diff_ids, parsed, err);
	if (r == 0)
		r = platform_read(root, &config->platform, err);
	if (r == 0)
		r = read_created(root, config, err);
	if (r < 0)
		return r;
	*out = steal(&config);
	return 0;
}

void config_free(struct config *config)
{
	free(config);
}
