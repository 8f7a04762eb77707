/* SPDX-License-Identifier: Apache-2.0 */
/* containerd's hosts.toml. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/strf.h"
#include "files.h"
#include "toml.h"

#define FILE_NAME "hosts.toml"

/* A path that is meant from the directory of the file. */
static char *absolute(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');

	return *path == '/' || !slash
		   ? strdup(path)
		   : strf("%.*s/%s", (int)(slash - file), file, path);
}

static int add_authority(const char *file, const char *path,
    struct endpoint_trust *trust, struct err *err)
{
	AUTO_FREE char *whole = absolute(file, path);
	char **more = whole ? strings_add(trust->ca_files, whole) : NULL;

	if (!more)
		return err_nomem(err);
	trust->ca_files = more;
	return 0;
}

/* ca: a string, or an array of them. */
static int read_authorities(const struct toml *table, const char *file,
    struct endpoint_trust *trust, struct err *err)
{
	const struct toml *ca = toml_get(table, "ca");
	int r = 0;

	if (ca && ca->type == TOML_STRING)
		return add_authority(file, ca->text, trust, err);
	ca = NULL;
	r = toml_elements(table, "ca", TOML_STRING, &ca, err);
	for (; r == 0 && ca; ca = ca->next)
		r = add_authority(file, ca->text, trust, err);
	return r;
}

/* client: a file with certificate and key, or an array of such, or of pairs of
 * files. The first serves: libcurl takes one. */
static int read_client(const struct toml *table, const char *file,
    struct endpoint_trust *trust, struct err *err)
{
	const struct toml *client = toml_get(table, "client");
	const struct toml *cert = client, *key;

	if (cert && cert->type == TOML_ARRAY)
		cert = cert->first;
	if (!cert)
		return 0;
	key = cert;
	if (cert->type == TOML_ARRAY) {
		cert = cert->first;
		key = cert ? cert->next : NULL;
	}
	if (!cert || !key || cert->type != TOML_STRING ||
	    key->type != TOML_STRING)
		return toml_refuse(client, err,
		    "\"client\" is not a file, or a pair of certificate and "
		    "key");
	trust->cert_file = absolute(file, cert->text);
	trust->key_file = absolute(file, key->text);
	return trust->cert_file && trust->key_file ? 0 : err_nomem(err);
}

static int read_capabilities(const struct toml *table, struct rule_place *place,
    struct err *err)
{
	const struct toml *each = NULL;
	int r = toml_elements(table, "capabilities", TOML_STRING, &each, err);

	place->by_tag = place->by_digest = !each;
	for (; r == 0 && each; each = each->next) {
		if (strcasecmp(each->text, "pull") == 0)
			place->by_digest = true;
		else if (strcasecmp(each->text, "resolve") == 0)
			place->by_tag = true;
		else if (strcasecmp(each->text, "push") != 0)
			r = toml_refuse(each, err,
			    "the capability \"%.50s\" is not known",
			    each->text);
	}
	/* What names a manifest is read by it, too. */
	place->by_tag &= place->by_digest;
	return r;
}

static int read_host(const struct toml *table, const char *url,
    const char *file, struct rule_place *place, struct err *err)
{
	const bool has_scheme = strncmp(url, "http", 4) == 0;
	AUTO_FREE char *whole = strf("%s%s", has_scheme ? "" : "https://", url);
	struct err reason = ERR_INIT;
	bool is_root = false;
	int r = whole ? toml_boolean(table, "override_path", &is_root, err)
		      : err_nomem(err);

	if (r == 0 && place_parse_url(place, whole, is_root, &reason) < 0)
		r = toml_refuse(table, err, "\"%.100s\": %s", url, reason.msg);
	if (r == 0)
		r = read_capabilities(table, place, err);
	if (r == 0)
		r = toml_boolean(table, "skip_verify", &place->trust.insecure,
		    err);
	if (r == 0)
		r = read_authorities(table, file, &place->trust, err);
	return r < 0 ? r : read_client(table, file, &place->trust, err);
}

static int read_hosts(const struct toml *root, struct rule *rule,
    struct err *err)
{
	const struct toml *hosts = NULL, *host;
	int r = toml_table(root, "host", &hosts, err);

	for (host = hosts ? hosts->first : NULL; r == 0 && host;
	     host = host->next) {
		CLEANUP(place_release) struct rule_place mirror = {0};

		if (host->type != TOML_TABLE)
			return toml_refuse(host, err, "\"%.100s\" is no table",
			    host->key);
		r = read_host(host, host->key, rule->file, &mirror, err);
		if (r == 0 && mirror.by_digest)
			r = rule_add_mirror(rule, &mirror, err);
	}
	return r;
}

int containerd_parse(const char *text, size_t len, const char *path,
    const char *host, struct rule *out, struct err *err)
{
	CLEANUP(toml_free_p) struct toml *root = NULL;
	const char *server = "";
	int r = toml_parse(text, len, &root, err);

	out->prefix = strdup(host);
	out->file = strdup(path);
	if (!out->prefix || !out->file)
		return err_nomem(err);
	if (r == 0)
		r = toml_string(root, "server", &server, err);
	if (r == 0)
		r = read_host(root, *server ? server : host, path, &out->place,
		    err);
	/* The server is asked last, whatever it is said to be good for. */
	out->place.by_tag = out->place.by_digest = true;
	out->stays = !*server;
	if (r == 0)
		r = read_hosts(root, out, err);
	return r < 0 ? err_wrap(err, "%s", path) : 0;
}

/* "localhost:5000" has a directory localhost:5000 or localhost_5000_. */
static int load(const char *dir, const char *host, struct rule *out,
    struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(CONFIG_FILE_MAX);
	AUTO_FREE char *path = strf(CONTAINERD_DIR "/%s/" FILE_NAME, dir);
	int r = path ? config_slurp(path, &text, err) : err_nomem(err);

	if (r > 0 && text.len == 0)
		return 0;
	if (r > 0)
		r = containerd_parse(buf_str(&text), text.len, path, host, out,
		    err);
	return r < 0 ? r : text.len > 0;
}

int containerd_load(const char *host, struct rule *out, struct err *err)
{
	const char *port = strrchr(host, ':');
	int r = load(host, host, out, err);

	if (r == 0 && port) {
		AUTO_FREE char *dir =
		    strf("%.*s_%s_", (int)(port - host), host, port + 1);

		r = dir ? load(dir, host, out, err) : err_nomem(err);
	}
	return r == 0 ? load("_default", host, out, err) : r;
}
