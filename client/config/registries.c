/* SPDX-License-Identifier: Apache-2.0 */
/* What all files together say of one host. */
#include "config/registries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hosts.h"
#include "base/log.h"
#include "base/strf.h"
#include "files.h"
#include "oci/reference.h"

struct registries {
	char *host;
	struct rules rules; /* of registries.conf, those for the host alone */
	struct rule other; /* of hosts.toml or daemon.json; prefix NULL: none */
	struct endpoint_trust trust; /* where no rule says it */
	char *hosts;
};

/* Where the name that a prefix begins goes on after its host. */
static const char *path_of(const struct registries *registries,
    const char *prefix)
{
	size_t len = strlen(registries->host);

	return strncmp(prefix, registries->host, len) == 0 && prefix[len] == '/'
		   ? prefix + len + 1
		   : "";
}

/* Whether a prefix is for this host, or for something there. */
static bool is_for(const struct registries *registries, const char *prefix)
{
	return rule_match(prefix, registries->host) > 0 ||
	       *path_of(registries, prefix);
}

/* A prefix of one image: it can be blocked. For more its blobs would have to be
 * told from those of the repository's other images. */
static bool names_image(const struct registries *registries,
    const struct rule *rule)
{
	return strpbrk(path_of(registries, rule->prefix), ":@") != NULL;
}

/* Drops the rules that are not for the host. */
static void keep_own(struct registries *registries)
{
	struct rules *rules = &registries->rules;
	size_t kept = 0;

	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->list[i];

		if (!is_for(registries, rule->prefix)) {
			rule_release(rule);
			continue;
		}
		if (names_image(registries, rule) && !rule->blocked) {
			log_warn("%s: the prefix %s has a tag or a digest: it "
				 "can be blocked, and what else is said of it "
				 "is not followed",
			    rule->file, rule->prefix);
			rule_release(rule);
			continue;
		}
		rules->list[kept++] = *rule;
	}
	rules->count = kept;
}

/* Docker's insecure registries are so wherever they are named. */
static void mark_insecure(const struct registries *registries,
    const struct insecure *insecure, struct rule_place *place)
{
	const char *scheme = place->address ? strstr(place->address, "://") : 0;
	const char *host = scheme ? scheme + 3 : place->address;

	if (!host)
		host = registries->host;
	place->trust.insecure |=
	    insecure_has(insecure, registries->hosts, host);
}

static void mark_rule(const struct registries *registries,
    const struct insecure *insecure, struct rule *rule)
{
	mark_insecure(registries, insecure, &rule->place);
	for (size_t i = 0; i < rule->mirror_count; i++)
		mark_insecure(registries, insecure, &rule->mirrors[i]);
}

static int read_files(struct registries *registries, struct insecure *insecure,
    struct err *err)
{
	CLEANUP(rule_release) struct rule hub = {0};
	int r = containers_load(&registries->rules, err);

	if (r == 0)
		r = docker_load(&hub, insecure, err);
	if (r >= 0)
		r = containerd_load(registries->host, &registries->other, err);
	if (r == 0 && hub.mirror_count > 0 &&
	    strcmp(registries->host, REFERENCE_HUB) == 0) {
		rule_release(&registries->other);
		registries->other = hub;
		hub = (struct rule){0};
	}
	return r < 0 ? r : 0;
}

int registries_open(const char *host, struct registries **out, struct err *err)
{
	CLEANUP(registries_close_p)
	struct registries *registries = calloc(1, sizeof(*registries));
	CLEANUP(insecure_release) struct insecure insecure = {0};
	struct buf hosts = hosts_read();
	int r;

	if (!registries) {
		buf_release(&hosts);
		return err_nomem(err);
	}
	registries->hosts = buf_steal(&hosts);
	registries->host = strdup(host);
	if (!registries->host || !registries->hosts)
		return err_nomem(err);
	r = read_files(registries, &insecure, err);
	if (r < 0)
		return r;
	keep_own(registries);
	registries->trust.insecure =
	    insecure_has(&insecure, registries->hosts, host);
	for (size_t i = 0; i < registries->rules.count; i++)
		mark_rule(registries, &insecure, &registries->rules.list[i]);
	if (registries->other.prefix)
		mark_rule(registries, &insecure, &registries->other);
	*out = steal(&registries);
	return 0;
}

void registries_close(struct registries *registries)
{
	rules_release(&registries->rules);
	rule_release(&registries->other);
	free(registries->host);
	free(registries->hosts);
	free(registries);
}

int registries_hosts(int (*each)(void *arg, const char *host, struct err *err),
    void *arg, struct err *err)
{
	CLEANUP(rules_release) struct rules rules = {0};
	int r = containers_load(&rules, err);

	for (size_t i = 0; r == 0 && i < rules.count; i++) {
		const char *prefix = rules.list[i].prefix;
		AUTO_FREE char *host = strndup(prefix, strcspn(prefix, "/"));

		if (!host)
			return err_nomem(err);
		if (!rules.list[i].blocked && *host != '*')
			r = each(arg, host, err);
	}
	return r;
}

int registries_alias(const char *name, char **out, struct err *err)
{
	CLEANUP(rules_release) struct rules rules = {0};
	int r = containers_load(&rules, err);
	const char *target = r == 0 ? map_get(&rules.aliases, name) : NULL;

	if (!target || !*target)
		return r;
	*out = strdup(target);
	return *out ? 1 : err_nomem(err);
}

/* The rule for a name, or NULL. */
static const struct rule *find(const struct registries *registries,
    const char *name)
{
	const struct rule *rule = rules_find(&registries->rules, name);

	if (!rule && registries->other.prefix)
		rule = &registries->other;
	return rule;
}

/* What of the name is after what the rule's places stand for. */
static const char *rest_of(const struct registries *registries,
    const struct rule *rule, const char *repository)
{
	const char *rest =
	    repository + strlen(path_of(registries, rule->prefix));

	return rest + (*rest == '/');
}

/* The repository in a place: its namespace, and the rest of the name. */
static int set_endpoint(struct endpoint *out, const struct rule_place *place,
    const char *rest, struct err *err)
{
	bool both = *place->namespace && *rest;

	*out = (struct endpoint){.address = place->address,
	    .path = place->path,
	    .trust = &place->trust,
	    .by_tag = place->by_tag,
	    .by_digest = place->by_digest};
	out->repository =
	    strf("%s%s%s", place->namespace, both ? "/" : "", rest);
	if (!out->repository)
		return err_nomem(err);
	if (*out->repository && !repository_valid(out->repository))
		return err_set(err, EINVAL,
		    "%s/%s, to which the configuration of registries leads, is "
		    "no valid name",
		    place->address, out->repository);
	return 0;
}

/* The repository where it is named. */
static int set_own(const struct registries *registries, const struct rule *rule,
    const char *repository, struct endpoint *out, struct err *err)
{
	*out = (struct endpoint){.address = registries->host,
	    .path = "",
	    .trust = rule ? &rule->place.trust : &registries->trust,
	    .repository = strdup(repository),
	    .by_tag = true,
	    .by_digest = true};
	return out->repository ? 0 : err_nomem(err);
}

static int fill(const struct registries *registries, const struct rule *rule,
    const char *repository, struct route *out, struct err *err)
{
	const size_t mirrors = rule ? rule->mirror_count : 0;
	const char *rest =
	    rule ? rest_of(registries, rule, repository) : repository;
	int r = 0;

	out->reads = calloc(mirrors + 1, sizeof(*out->reads));
	if (!out->reads)
		return err_nomem(err);
	for (; r == 0 && out->count < mirrors; out->count++)
		r = set_endpoint(&out->reads[out->count],
		    &rule->mirrors[out->count], rest, err);
	if (r == 0)
		r = !rule || rule->stays
			? set_own(registries, rule, repository,
			      &out->reads[out->count++], err)
			: set_endpoint(&out->reads[out->count++], &rule->place,
			      rest, err);
	if (r < 0)
		return r;
	/* As podman has it, what is written is not led elsewhere. */
	return rule == &registries->other && !rule->stays
		   ? set_endpoint(&out->writes, &rule->place, rest, err)
		   : set_own(registries, rule, repository, &out->writes, err);
}

int registries_route(const struct registries *registries,
    const char *repository, const char *reference, struct route *out,
    struct err *err)
{
	const char *mark = !reference ? "" : strchr(reference, ':') ? "@" : ":";
	AUTO_FREE char *name =
	    strf("%s%s%s%s%s", registries->host, *repository ? "/" : "",
		repository, mark, reference ? reference : "");
	const struct rule *rule;
	int r;

	*out = (struct route){0};
	if (!name)
		return err_nomem(err);
	rule = find(registries, name);
	if (rule && rule->blocked) {
		out->blocked_by = rule->file;
		return 0;
	}
	r = fill(registries, rule, repository, out, err);
	if (r < 0)
		route_release(out);
	return r;
}

void route_release(struct route *route)
{
	for (size_t i = 0; i < route->count; i++)
		free(route->reads[i].repository);
	free(route->reads);
	free(route->writes.repository);
	*route = (struct route){0};
}

/* Whether a place is where the prefix names it. */
static bool is_itself(const struct registries *registries,
    const struct rule *rule)
{
	return rule->stays ||
	       (strcmp(rule->place.address, registries->host) == 0 &&
		   !*rule->place.path &&
		   strcmp(rule->place.namespace,
		       path_of(registries, rule->prefix)) == 0);
}

static bool leads_away(const struct registries *registries,
    const struct rule *rule)
{
	const bool part = *path_of(registries, rule->prefix);
	const struct endpoint_trust *trust = &rule->place.trust;

	return rule->blocked || rule->mirror_count > 0 ||
	       !is_itself(registries, rule) || trust->ca_files ||
	       trust->cert_file || (part && rule->place.trust.insecure);
}

bool registries_lead_away(const struct registries *registries)
{
	const struct rules *rules = &registries->rules;

	for (size_t i = 0; i < rules->count; i++)
		if (leads_away(registries, &rules->list[i]))
			return true;
	return registries->other.prefix &&
	       leads_away(registries, &registries->other);
}

const struct endpoint_trust *registries_trust(
    const struct registries *registries)
{
	const struct rule *rule = find(registries, registries->host);

	return rule ? &rule->place.trust : &registries->trust;
}

const char *registries_parts(const struct registries *registries, size_t i)
{
	const struct rules *rules = &registries->rules;

	if (i == 0)
		return "";
	for (size_t j = 0; j < rules->count; j++) {
		const char *path = path_of(registries, rules->list[j].prefix);

		if (*path && !strpbrk(path, ":@") && --i == 0)
			return path;
	}
	return NULL;
}

const char *registries_part(const struct registries *registries,
    const char *repository)
{
	AUTO_FREE char *name = strf("%s/%s", registries->host, repository);
	const struct rule *rule =
	    name ? rules_find(&registries->rules, name) : NULL;

	return rule ? path_of(registries, rule->prefix) : "";
}
