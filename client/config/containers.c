/* SPDX-License-Identifier: Apache-2.0 */
/* containers-registries.conf(5). */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/strf.h"
#include "files.h"
#include "toml.h"

#define MAIN_FILE "registries.conf"
#define DROP_INS "registries.conf.d"

/* Where a file is, and whose rules it adds. */
struct conf_file {
	const char *path;
	struct rules *rules;
};

static int read_place(const struct toml *table, struct rule_place *place,
    struct err *err)
{
	const char *location = NULL;
	int r = toml_string(table, "location", &location, err);

	if (r == 0)
		r = toml_boolean(table, "insecure", &place->trust.insecure,
		    err);
	if (r < 0 || !location || !*location)
		return r;
	if (place_parse(place, location, err) < 0) {
		struct err reason = *err;

		return toml_refuse(table, err, "location \"%.100s\": %s",
		    location, reason.msg);
	}
	return 0;
}

static int read_use(const struct toml *table, bool digests_only,
    struct rule_place *mirror, struct err *err)
{
	const char *use = "";
	int r = toml_string(table, "pull-from-mirror", &use, err);

	if (r < 0)
		return r;
	if (*use && digests_only)
		return toml_refuse(table, err,
		    "pull-from-mirror is not allowed where the registry has "
		    "mirror-by-digest-only");
	mirror->by_tag = strcmp(use, "digest-only") != 0 && !digests_only;
	mirror->by_digest = strcmp(use, "tag-only") != 0;
	if (*use && strcmp(use, "all") != 0 && mirror->by_tag &&
	    mirror->by_digest)
		return toml_refuse(table, err,
		    "pull-from-mirror is \"%.50s\": only all, digest-only and "
		    "tag-only are known",
		    use);
	return 0;
}

static int read_mirror(const struct toml *table, bool digests_only,
    struct rule *rule, struct err *err)
{
	CLEANUP(place_release) struct rule_place mirror = {0};
	int r = read_place(table, &mirror, err);

	if (r == 0 && !mirror.address)
		r = toml_refuse(table, err, "a mirror has no location");
	if (r == 0)
		r = read_use(table, digests_only, &mirror, err);
	return r < 0 ? r : rule_add_mirror(rule, &mirror, err);
}

static int read_mirrors(const struct toml *table, struct rule *rule,
    struct err *err)
{
	const struct toml *mirror = NULL;
	bool digests_only = false;
	int r =
	    toml_boolean(table, "mirror-by-digest-only", &digests_only, err);

	if (r == 0)
		r = toml_elements(table, "mirror", TOML_TABLE, &mirror, err);
	for (; r == 0 && mirror; mirror = mirror->next)
		r = read_mirror(mirror, digests_only, rule, err);
	return r;
}

/* "*.example.com": nothing but a domain may follow. */
static bool is_wildcard(const char *prefix)
{
	return strncmp(prefix, "*.", 2) == 0 && prefix[2] &&
	       !strpbrk(prefix + 2, "/:@*");
}

static int read_prefix(const struct toml *table, struct rule *rule,
    struct err *err)
{
	const char *prefix = "";
	size_t len;
	int r = toml_string(table, "prefix", &prefix, err);

	if (r < 0)
		return r;
	rule->stays = !rule->place.address;
	if (strchr(prefix, '*') && !is_wildcard(prefix))
		return toml_refuse(table, err,
		    "prefix \"%.100s\": a wildcard can stand before a domain "
		    "alone, as in *.example.com",
		    prefix);
	if (rule->stays && !strchr(prefix, '*'))
		return toml_refuse(table, err, "a registry has no location");
	if (!*prefix)
		toml_string(table, "location", &prefix, err);
	len = strlen(prefix);
	while (len > 0 && prefix[len - 1] == '/')
		len--;
	rule->prefix = strndup(prefix, len);
	return rule->prefix ? 0 : err_nomem(err);
}

/* Two rules that lead to the same place agree on how it is to be trusted. */
static int check_conflict(const struct rules *rules, const struct rule *rule,
    const struct toml *table, struct err *err)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *other = &rules->list[i];

		if (rule->stays || other->stays ||
		    strcmp(other->file, rule->file) != 0 ||
		    strcmp(other->place.address, rule->place.address) != 0 ||
		    strcmp(other->place.namespace, rule->place.namespace) != 0)
			continue;
		if (other->blocked != rule->blocked ||
		    other->place.trust.insecure != rule->place.trust.insecure)
			return toml_refuse(table, err,
			    "another registry with the same location is not "
			    "insecure or blocked alike");
	}
	return 0;
}

static int read_registry(const struct toml *table,
    const struct conf_file *reading, struct err *err)
{
	CLEANUP(rule_release)
	struct rule rule = {.file = strdup(reading->path),
	    .place = {.by_tag = true, .by_digest = true}};
	int r =
	    rule.file ? read_place(table, &rule.place, err) : err_nomem(err);

	if (r == 0)
		r = read_prefix(table, &rule, err);
	if (r == 0)
		r = toml_boolean(table, "blocked", &rule.blocked, err);
	if (r == 0)
		r = read_mirrors(table, &rule, err);
	if (r == 0)
		r = check_conflict(reading->rules, &rule, table, err);
	return r < 0 ? r : rules_put(reading->rules, &rule, err);
}

/* A later file's goes before. */
static int add_alias(const struct toml *alias, struct rules *rules,
    struct err *err)
{
	AUTO_FREE char *target = NULL;
	char *before;

	if (alias->type != TOML_STRING)
		return toml_refuse(alias, err,
		    "the alias \"%.100s\" is not a string", alias->key);
	target = strdup(alias->text);
	if (!target)
		return err_nomem(err);
	before = map_get(&rules->aliases, alias->key);
	if (map_put(&rules->aliases, alias->key, target) < 0)
		return err_nomem(err);
	free(before);
	target = NULL;
	return 0;
}

/* Nothing is searched for here; but a file that podman refuses is refused. */
static int read_short_names(const struct toml *root, struct rules *rules,
    struct err *err)
{
	const struct toml *aliases = NULL, *search = NULL;
	const char *mode = "";
	int r = toml_table(root, "aliases", &aliases, err);

	if (r == 0)
		r = toml_elements(root, "unqualified-search-registries",
		    TOML_STRING, &search, err);
	if (r == 0)
		r = toml_string(root, "short-name-mode", &mode, err);
	for (const struct toml *alias = aliases ? aliases->first : NULL;
	     r == 0 && alias; alias = alias->next)
		r = add_alias(alias, rules, err);
	return r;
}

/* A rule of the older format: a list of hosts that are insecure or blocked. */
static int add_old(const char *location, bool blocked,
    const struct conf_file *reading, const struct toml *at, struct err *err)
{
	CLEANUP(rule_release)
	struct rule rule = {.file = strdup(reading->path),
	    .prefix = strdup(location),
	    .place = {.by_tag = true, .by_digest = true}};
	struct err reason = ERR_INIT;

	if (!rule.file || !rule.prefix)
		return err_nomem(err);
	for (size_t i = 0; i < reading->rules->count; i++) {
		struct rule *there = &reading->rules->list[i];

		if (strcmp(there->prefix, location) != 0)
			continue;
		there->blocked |= blocked;
		there->place.trust.insecure |= !blocked;
		return 0;
	}
	if (place_parse(&rule.place, location, &reason) < 0)
		return toml_refuse(at, err, "\"%.100s\": %s", location,
		    reason.msg);
	rule.blocked = blocked;
	rule.place.trust.insecure = !blocked;
	return rules_put(reading->rules, &rule, err);
}

static int read_old_list(const struct toml *old, const char *name,
    const struct conf_file *reading, struct err *err)
{
	const struct toml *table = NULL, *host = NULL;
	bool search = strcmp(name, "search") == 0;
	int r = toml_table(old, name, &table, err);

	if (r == 0 && table)
		r = toml_elements(table, "registries", TOML_STRING, &host, err);
	for (; r == 0 && host && !search; host = host->next)
		r = add_old(host->text, strcmp(name, "block") == 0, reading,
		    host, err);
	return r;
}

static int read_old(const struct toml *root, const struct toml *old,
    bool drop_in, const struct conf_file *reading, struct err *err)
{
	int r;

	if (drop_in || toml_get(root, "registry") ||
	    toml_get(root, "unqualified-search-registries"))
		return toml_refuse(old, err,
		    "[registries…] is of the older format, which is not mixed "
		    "with the newer one");
	r = read_old_list(old, "block", reading, err);
	if (r == 0)
		r = read_old_list(old, "insecure", reading, err);
	if (r == 0)
		r = read_old_list(old, "search", reading, err);
	return r;
}

int containers_parse(const char *text, size_t len, const char *path,
    bool drop_in, struct rules *rules, struct err *err)
{
	CLEANUP(toml_free_p) struct toml *root = NULL;
	const struct conf_file reading = {path, rules};
	const struct toml *registry = NULL, *old = NULL;
	int r = toml_parse(text, len, &root, err);

	if (r == 0)
		r = toml_table(root, "registries", &old, err);
	if (r == 0)
		r = read_short_names(root, rules, err);
	if (r == 0 && old)
		r = read_old(root, old, drop_in, &reading, err);
	if (r == 0)
		r = toml_elements(root, "registry", TOML_TABLE, &registry, err);
	for (; r == 0 && registry; registry = registry->next)
		r = read_registry(registry, &reading, err);
	return r < 0 ? err_wrap(err, "%s", path) : 0;
}

static int load_file(const char *path, bool drop_in, struct rules *rules,
    struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(CONFIG_FILE_MAX);
	int r = config_slurp(path, &text, err);

	if (r > 0)
		r = containers_parse(buf_str(&text), text.len, path, drop_in,
		    rules, err);
	return r < 0 ? r : 0;
}

static int is_drop_in(const struct dirent *entry)
{
	const char *name = entry->d_name, *end = strrchr(name, '.');

	return end && strcmp(end, ".conf") == 0 && entry->d_type != DT_DIR;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_drop_ins(const char *dir, struct rules *rules, struct err *err)
{
	AUTO_FREE char *path = strf("%s/" DROP_INS, dir);
	struct dirent **entries = NULL;
	int r = 0, n;

	if (!path)
		return err_nomem(err);
	n = scandir(path, &entries, is_drop_in, by_bytes);
	if (n < 0 && errno == EACCES)
		config_unreadable(path);
	else if (n < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_sys(err, "cannot read %s", path);
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *file = strf("%s/%s", path, entries[i]->d_name);

		if (r == 0)
			r = file ? load_file(file, true, rules, err)
				 : err_nomem(err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int containers_load(struct rules *rules, struct err *err)
{
	const char *named = getenv("CONTAINERS_REGISTRIES_CONF");
	AUTO_FREE char *home = file_home();
	AUTO_FREE char *own = home ? strf("%s/.config/containers", home) : NULL;
	AUTO_FREE char *own_main = own ? strf("%s/" MAIN_FILE, own) : NULL;
	bool users;
	int r;

	if (!own_main)
		return err_nomem(err);
	named = named && *named ? named : NULL;
	if (named && access(named, F_OK) < 0)
		return err_sys(err, "$CONTAINERS_REGISTRIES_CONF: %s", named);
	users = !named && access(own_main, F_OK) == 0;
	r = load_file(named   ? named
		      : users ? own_main
			      : CONTAINERS_DIR "/" MAIN_FILE,
	    false, rules, err);
	if (r == 0 && !users)
		r = load_drop_ins(CONTAINERS_DIR, rules, err);
	return r < 0 ? r : load_drop_ins(own, rules, err);
}
