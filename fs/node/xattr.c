/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes. */
#include "xattr.h"

#include <linux/limits.h>
#include <stdio.h>
#include <string.h>

#include "oci/config.h"

void xattrs_release(struct xattrs *xattrs)
{
	buf_release(&xattrs->data);
}

bool xattrs_wants(const struct xattrs *xattrs, const char *prefix)
{
	return !xattrs->wanted ||
	       strncmp(xattrs->wanted, prefix, strlen(prefix)) == 0;
}

static int add(struct xattrs *xattrs, bool listed, const char *name,
    const void *value, size_t len, struct err *err)
{
	const uint8_t flag = listed;
	const uint32_t size = (uint32_t)len;
	int r = buf_add(&xattrs->data, &flag, sizeof(flag), err);

	if (r == 0)
		r = buf_add(&xattrs->data, name, strlen(name) + 1, err);
	if (r == 0)
		r = buf_add(&xattrs->data, &size, sizeof(size), err);
	if (r == 0)
		r = buf_add(&xattrs->data, value, len, err);
	return r;
}

int xattrs_add(struct xattrs *xattrs, const char *name, const char *value,
    struct err *err)
{
	return add(xattrs, true, name, value, strlen(value), err);
}

int xattrs_add_bytes(struct xattrs *xattrs, const char *name, const void *value,
    size_t len, struct err *err)
{
	return add(xattrs, true, name, value, len, err);
}

int xattrs_add_hidden(struct xattrs *xattrs, const char *name,
    const char *value, struct err *err)
{
	return add(xattrs, false, name, value, strlen(value), err);
}

int xattrs_add_digest(struct xattrs *xattrs, const char *name,
    const struct digest *digest, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];

	return xattrs_add(xattrs, name, digest_format(digest, text), err);
}

int xattrs_add_number(struct xattrs *xattrs, const char *name, uint64_t value,
    struct err *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return xattrs_add(xattrs, name, text, err);
}

int xattrs_add_stale(struct xattrs *xattrs, time_t seen, struct err *err)
{
	char text[TIME_TEXT_SIZE];

	if (seen == 0)
		return 0;
	if (time_format(seen, text, err) < 0)
		return -err->code;
	return xattrs_add(xattrs, "user.oci.stale", text, err);
}

int xattrs_add_annotations(struct xattrs *xattrs,
    const struct annotation *annotations, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		char name[256]; /* XATTR_NAME_MAX and its NUL */
		int len = snprintf(name, sizeof(name), "user.oci.annotation.%s",
		    annotations[i].name);
		int r;

		if (len < 0 || (size_t)len >= sizeof(name))
			continue; /* no xattr can have that name */
		r = xattrs_add(xattrs, name, annotations[i].value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int xattrs_add_descriptor(struct xattrs *xattrs,
    const struct descriptor *descriptor, struct err *err)
{
	int r = xattrs_add_digest(xattrs, "user.oci.digest",
	    &descriptor->digest, err);

	if (r == 0)
		r = xattrs_add(xattrs, "user.oci.mediatype",
		    descriptor->media_type, err);
	if (r == 0)
		r = xattrs_add_number(xattrs, "user.oci.size", descriptor->size,
		    err);
	if (r == 0)
		r = xattrs_add_annotations(xattrs, descriptor->annotations,
		    descriptor->annotation_count, err);
	return r;
}

/* The attribute at *at; moves *at past it. NULL at the end. */
static const char *xattrs_next(const struct xattrs *xattrs, size_t *at,
    bool *listed, const char **value, uint32_t *len)
{
	const char *name;

	if (*at >= xattrs->data.len)
		return NULL;
	*listed = xattrs->data.data[(*at)++];
	name = xattrs->data.data + *at;
	*at += strlen(name) + 1;
	memcpy(len, xattrs->data.data + *at, sizeof(*len));
	*at += sizeof(*len);
	*value = xattrs->data.data + *at;
	*at += *len;
	return name;
}

const char *xattrs_find(const struct xattrs *xattrs, const char *name,
    size_t *len)
{
	const char *found, *value;
	uint32_t size;
	size_t at = 0;
	bool listed;

	while ((found = xattrs_next(xattrs, &at, &listed, &value, &size))) {
		if (!strcmp(found, name)) {
			*len = size;
			return value;
		}
	}
	return NULL;
}

int xattrs_names(const struct xattrs *xattrs, struct buf *out, struct err *err)
{
	const char *name, *value;
	uint32_t size;
	size_t at = 0;
	bool listed;

	while ((name = xattrs_next(xattrs, &at, &listed, &value, &size))) {
		size_t len = strlen(name) + 1;
		int r = 0;

		if (listed && size <= XATTR_SIZE_MAX &&
		    len <= out->limit - out->len)
			r = buf_add(out, name, len, err);
		if (r < 0)
			return r;
	}
	return 0;
}
