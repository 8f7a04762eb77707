/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's daemon.json. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hosts.h"
#include "base/parse.h"
#include "files.h"
#include "oci/reference.h"

/* The strings of a list that may be absent. */
static int get_list(const json_t *root, const char *name, json_t **out,
    struct err *err)
{
	json_t *list = json_object_get(root, name), *each;
	size_t i;

	*out = list;
	if (list && !json_is_array(list))
		return err_set(err, EINVAL, "\"%s\" is not an array", name);
	json_array_foreach(list, i,
	    each) if (!json_is_string(each)) return err_set(err, EINVAL,
	    "\"%s\" has what is not a string", name);
	return 0;
}

static int add_mirror(struct rule *hub, const char *url, struct err *err)
{
	CLEANUP(place_release)
	struct rule_place mirror = {.by_tag = true, .by_digest = true};
	int r = strstr(url, "://") ? place_parse_url(&mirror, url, false, err)
				   : err_set(err, EINVAL, "it has no scheme");

	if (r == -EINVAL)
		return err_wrap(err, "registry-mirrors: \"%.100s\"", url);
	return r < 0 ? r : rule_add_mirror(hub, &mirror, err);
}

static int read_lists(const json_t *root, struct rule *hub,
    struct insecure *insecure, struct err *err)
{
	json_t *mirrors, *entries, *each;
	size_t i;
	int r = get_list(root, "registry-mirrors", &mirrors, err);

	if (r == 0)
		r = get_list(root, "insecure-registries", &entries, err);
	if (r < 0)
		return r;
	json_array_foreach(mirrors, i, each) if (r == 0) r =
	    add_mirror(hub, json_string_value(each), err);
	json_array_foreach(entries, i, each)
	{
		char **more =
		    strings_add(insecure->entries, json_string_value(each));

		if (!more)
			return err_nomem(err);
		insecure->entries = more;
	}
	return r;
}

int docker_parse(const char *text, size_t len, const char *path,
    struct rule *hub, struct insecure *insecure, struct err *err)
{
	json_auto_t *root = NULL;
	json_error_t where;
	int r;

	hub->prefix = strdup(REFERENCE_HUB);
	hub->file = strdup(path);
	hub->stays = true;
	hub->place.by_tag = hub->place.by_digest = true;
	if (!hub->prefix || !hub->file)
		return err_nomem(err);
	root = json_loadb(text, len, 0, &where);
	if (!root)
		return err_set(err, EINVAL, "%s: line %d: it is not JSON", path,
		    where.line);
	if (!json_is_object(root))
		return err_set(err, EINVAL, "%s: it is not a JSON object",
		    path);
	r = read_lists(root, hub, insecure, err);
	return r < 0 ? err_wrap(err, "%s", path) : 0;
}

int docker_load(struct rule *hub, struct insecure *insecure, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(CONFIG_FILE_MAX);
	int r = config_slurp(DOCKER_DAEMON, &text, err);

	return r <= 0 ? r
		      : docker_parse(buf_str(&text), text.len, DOCKER_DAEMON,
			    hub, insecure, err);
}

/* An address, IPv4 as the part of IPv6 that it has. */
static bool read_address(const char *text, size_t len, struct in6_addr *out)
{
	char copy[INET6_ADDRSTRLEN + 8];

	if (len >= INET6_ADDRSTRLEN)
		return false;
	memcpy(copy, "::ffff:", 7);
	memcpy(copy + 7, text, len);
	copy[7 + len] = '\0';
	return inet_pton(AF_INET6, copy, out) == 1 ||
	       inet_pton(AF_INET6, copy + 7, out) == 1;
}

/* "ADDRESS/BITS". */
struct net {
	struct in6_addr address;
	unsigned bits;
};

static bool read_net(const char *text, struct net *out)
{
	const char *slash = strchr(text, '/'), *bits = slash + 1;
	bool v6 = strchr(text, ':');
	uint64_t count;

	if (!slash ||
	    !read_address(text, (size_t)(slash - text), &out->address))
		return false;
	if (!parse_u64(&bits, v6 ? 128 : 32, &count) || *bits)
		return false;
	out->bits = (unsigned)count + (v6 ? 0 : 96);
	return true;
}

static bool is_in_net(const char *text, size_t len, const void *arg)
{
	const struct net *net = arg;
	struct in6_addr address;
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (!read_address(text, len, &address) ||
	    memcmp(&address, &net->address, whole) != 0)
		return false;
	return rest == 0 ||
	       (address.s6_addr[whole] ^ net->address.s6_addr[whole]) >>
		       (8 - rest) ==
		   0;
}

bool insecure_has(const struct insecure *insecure, const char *hosts,
    const char *host)
{
	bool bracketed = *host == '[';
	const char *name = host + bracketed;
	size_t len = strcspn(name, bracketed ? "]" : ":");

	for (char **entry = insecure->entries; entry && *entry; entry++) {
		struct net net;

		if (strcasecmp(*entry, host) == 0)
			return true;
		if (read_net(*entry, &net) &&
		    (is_in_net(name, len, &net) ||
			hosts_all(hosts, host, is_in_net, &net)))
			return true;
	}
	return false;
}

void insecure_release(struct insecure *insecure)
{
	strings_free(insecure->entries);
	*insecure = (struct insecure){0};
}
