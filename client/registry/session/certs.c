/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of registries. */
#include "certs.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strf.h"

struct cert_dir {
	struct dirent **entries; /* sorted */
	int count;
};

static void listing_release(struct cert_dir *listing)
{
	for (int i = 0; i < listing->count; i++)
		free(listing->entries[i]);
	free(listing->entries);
}

/* The stem's length where the name has the ending, else 0. */
static size_t stem(const char *name, const char *ending)
{
	size_t len = strlen(name), tail = strlen(ending);

	if (len <= tail || strcmp(name + len - tail, ending) != 0)
		return 0;
	return len - tail;
}

static bool has_partner(const struct cert_dir *listing, const char *name,
    size_t len, const char *ending)
{
	for (int i = 0; i < listing->count; i++) {
		const char *other = listing->entries[i]->d_name;

		if (stem(other, ending) == len &&
		    strncmp(other, name, len) == 0)
			return true;
	}
	return false;
}

static int add_ca(struct certs *certs, size_t index, const char *dir,
    const char *name, struct err *err)
{
	certs->ca_files[index] = strf("%s/%s", dir, name);
	return certs->ca_files[index] ? 0 : err_nomem(err);
}

/* The first pair serves: libcurl takes one. */
static int add_pair(struct certs *certs, const char *dir, const char *name,
    size_t len, struct err *err)
{
	if (certs->cert_file)
		return 0;
	certs->cert_file = strf("%s/%.*s.cert", dir, (int)len, name);
	certs->key_file = strf("%s/%.*s.key", dir, (int)len, name);
	return certs->cert_file && certs->key_file ? 0 : err_nomem(err);
}

static int take_files(const char *dir, const struct cert_dir *listing,
    struct certs *out, struct err *err)
{
	size_t ca_count = 0;
	int r = 0;

	out->ca_files = calloc((size_t)listing->count + 1, sizeof(char *));
	if (!out->ca_files)
		return err_nomem(err);
	for (int i = 0; r == 0 && i < listing->count; i++) {
		const char *name = listing->entries[i]->d_name;
		size_t cert = stem(name, ".cert"), key = stem(name, ".key");

		if (stem(name, ".crt"))
			r = add_ca(out, ca_count++, dir, name, err);
		else if (cert && !has_partner(listing, name, cert, ".key"))
			r = err_set(err, EINVAL,
			    "%s/%s: the key (*.key) is missing beside it", dir,
			    name);
		else if (key && !has_partner(listing, name, key, ".cert"))
			r = err_set(err, EINVAL,
			    "%s/%s: the certificate (*.cert) is missing beside "
			    "it",
			    dir, name);
		else if (cert)
			r = add_pair(out, dir, name, cert, err);
	}
	return r;
}

int certs_load(const char *dir, struct certs *out, struct err *err)
{
	CLEANUP(listing_release) struct cert_dir listing = {NULL, 0};
	int n = scandir(dir, &listing.entries, NULL, alphasort);
	int r;

	*out = (struct certs){0};
	/* What one may not read is somebody else's trust. */
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (n < 0)
		return err_sys(err, "cannot read %s", dir);
	listing.count = n;
	r = take_files(dir, &listing, out, err);
	return r < 0 ? r : 1;
}

int certs_find(const char *host, struct certs *out, struct err *err)
{
	AUTO_FREE char *home = file_home();
	AUTO_FREE char *own =
	    home ? strf("%s/.config/containers/certs.d", home) : NULL;
	const char *const parents[] = {own, "/etc/containers/certs.d",
	    "/etc/docker/certs.d"};
	int r = 0;

	*out = (struct certs){0};
	if (!own)
		return err_nomem(err);
	for (size_t i = 0; r == 0 && i < 3; i++) {
		AUTO_FREE char *dir = strf("%s/%s", parents[i], host);

		r = dir ? certs_load(dir, out, err) : err_nomem(err);
		if (r < 0)
			certs_release(out);
	}
	return r < 0 ? r : 0;
}

int certs_take(const char *const *ca_files, const char *cert_file,
    const char *key_file, struct certs *out, struct err *err)
{
	size_t count = 0;

	*out = (struct certs){0};
	while (ca_files && ca_files[count])
		count++;
	out->ca_files = calloc(count + 1, sizeof(char *));
	out->cert_file = cert_file ? strdup(cert_file) : NULL;
	out->key_file = key_file ? strdup(key_file) : NULL;
	if (!out->ca_files || (cert_file && !out->cert_file) ||
	    (key_file && !out->key_file))
		return err_nomem(err);
	for (size_t i = 0; i < count; i++) {
		out->ca_files[i] = strdup(ca_files[i]);
		if (!out->ca_files[i])
			return err_nomem(err);
	}
	return 0;
}

void certs_release(struct certs *certs)
{
	for (char **file = certs->ca_files; file && *file; file++)
		free(*file);
	free(certs->ca_files);
	free(certs->cert_file);
	free(certs->key_file);
	*certs = (struct certs){0};
}
