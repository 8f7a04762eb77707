/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers, and who is asked first. */
#include <errno.h>
#include <string.h>

#include "api/call.h"
#include "base/log.h"
#include "base/strf.h"
#include "oci/reference.h"
#include "registry/registry.h"
#include "service/lister.h"

/* In the order in which they are asked whether it is theirs. */
static const struct lister *const drivers[] = {&lister_hub, &lister_ghcr,
    &lister_redhat, &lister_gcr, &lister_ecr, &lister_acr, &lister_harbor,
    &lister_quay, &lister_gitlab, &lister_artifactory, &lister_gitea,
    &lister_nexus, &lister_dtr, &lister_zot};

enum { DRIVERS = sizeof(drivers) / sizeof(*drivers) };

#define CATALOG "catalog" /* _catalog alone */
#define NONE "none"       /* nothing is asked */

static bool is(const char *name, const char *other)
{
	return name && strcmp(name, other) == 0;
}

static const struct lister *find(const char *name)
{
	for (size_t i = 0; i < DRIVERS; i++) {
		if (is(name, drivers[i]->name))
			return drivers[i];
	}
	return NULL;
}

bool registry_lister_known(const char *name)
{
	return is(name, CATALOG) || is(name, NONE) || find(name);
}

/* NULL: none. */
static const struct lister *choose(const struct registry *registry)
{
	if (registry->lister)
		return find(registry->lister);
	for (size_t i = 0; i < DRIVERS; i++) {
		if (drivers[i]->matches && drivers[i]->matches(registry))
			return drivers[i];
	}
	return NULL;
}

/* What a list has, on its way to whom it is for. */
struct filter {
	const char *prefix; /* NULL: any name */
	uint64_t passed;
	struct lister_reader to;
};

static bool is_below(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 &&
	       (name[len] == '/' || name[len] == '\0');
}

static int pass_on(void *arg, const char *name, struct err *err)
{
	struct filter *filter = arg;

	if (strlen(name) > REPOSITORY_MAX || !repository_valid(name) ||
	    (filter->prefix && !is_below(name, filter->prefix)))
		return 0;
	filter->passed++;
	return filter->to.each(filter->to.arg, name, err);
}

/* Whether a service says no to a list, and not that it fails. */
static bool is_refusal(const struct err *err)
{
	return err->code == EOPNOTSUPP || err->http == 400 ||
	       err->http == 401 || err->http == 403 || err->http == 404 ||
	       err->http == 405;
}

/*
 * What a driver's failure comes to. A refusal is said once. That an API cannot
 * be reached says nothing of the registry: it has answered, if with no list.
 */
static int failed(struct registry *registry, const struct lister *lister,
    struct err *err)
{
	if (err->code == EINTR || err->code == ENOMEM || err->code == ESHUTDOWN)
		return -err->code;
	if (!is_refusal(err)) {
		err->code = EIO;
		err->http = 200;
		return -EIO;
	}
	if (*err->msg && !atomic_exchange(&registry->lister_refused, true))
		log_info("no list of repositories by the API of %s: %s",
		    lister->name, err->msg);
	err->code = EOPNOTSUPP;
	return -EOPNOTSUPP;
}

static int ask_all(struct registry *registry, const struct lister *lister,
    struct filter *filter, struct err *err)
{
	const struct lister_reader reader = {pass_on, filter};
	int r;

	if (!lister->all)
		return err_set(err, EOPNOTSUPP,
		    "%s lists a namespace at a time: name one, as in ls "
		    "NAMESPACE",
		    registry_host(registry));
	r = lister->all(registry, &reader, err);
	if (r < 0)
		return failed(registry, lister, err);
	atomic_store(&registry->lister_refused, false);
	return r != 0 ? r : !lister->complete;
}

/* Whether _catalog has said that it lists nothing, not even something. */
static bool is_unlisted(int r, const struct filter *filter)
{
	return filter->passed == 0 &&
	       (r == 0 || r == -EOPNOTSUPP || r == -EACCES);
}

int registry_list(struct registry *registry, source_name_fn *each, void *arg,
    struct err *err)
{
	const struct lister *lister = choose(registry);
	struct filter filter = {NULL, 0, {each, arg}};
	struct err refusal = ERR_INIT;
	int r = -EOPNOTSUPP;

	if (is(registry->lister, NONE))
		return err_set(err, EOPNOTSUPP,
		    "%s is not asked for a list (list=none)",
		    registry_host(registry));
	if (!lister || (!lister->all && !lister->below))
		return registry_catalog(registry, each, arg, err);
	if (!registry->lister && !lister->instead)
		r = registry_catalog(registry, pass_on, &filter, &refusal);
	if (!is_unlisted(r, &filter)) {
		*err = refusal;
		return r;
	}
	r = ask_all(registry, lister, &filter, err);
	if (r == -EOPNOTSUPP && refusal.code == EACCES) {
		*err = refusal;
		return -EACCES;
	}
	return r;
}

int registry_list_below(struct registry *registry, const char *prefix,
    source_name_fn *each, void *arg, struct err *err)
{
	const struct lister *lister = choose(registry);
	struct filter filter = {prefix, 0, {each, arg}};
	const struct lister_reader reader = {pass_on, &filter};
	int r;

	if (!lister || !lister->below) {
		err->code = EOPNOTSUPP;
		return -EOPNOTSUPP;
	}
	r = lister->below(registry, prefix, &reader, err);
	return r < 0 ? failed(registry, lister, err) : r;
}

/* What is not to be had is not asked for again at once. */
static void read_tags(struct registry *registry, char *repository, unsigned age)
{
	const struct lister *lister = choose(registry);
	struct err err = ERR_INIT;

	if (!lister || !lister->tags ||
	    facts_are_read(&registry->facts, repository, age))
		return;
	facts_note_read(&registry->facts, repository);
	if (lister->tags(registry, repository, &err) < 0)
		log_debug(LOG_HTTP, "%s: %s", repository, err.msg);
}

int registry_facts(struct registry *registry, const char *repository,
    const char *tag, unsigned age, source_fact_fn *each, void *arg,
    struct err *err)
{
	AUTO_FREE char *name = call_repository(registry, repository);
	AUTO_FREE char *of = NULL;

	if (name)
		of = tag ? strf("%s:%s", name, tag) : strdup(name);
	if (!of)
		return err_nomem(err);
	if (tag)
		read_tags(registry, name, age);
	return facts_each(&registry->facts, of, each, arg, err);
}

static int not_by_api(const struct registry *registry, struct err *err)
{
	return err_set(err, EOPNOTSUPP, "%s: there is no API for that",
	    registry_host(registry));
}

int registry_make(struct registry *registry, const char *repository,
    struct err *err)
{
	const struct lister *lister = choose(registry);
	AUTO_FREE char *name = call_repository(registry, repository);

	if (!lister || !lister->make)
		return not_by_api(registry, err);
	return name ? lister->make(registry, name, err) : err_nomem(err);
}

int registry_drop(struct registry *registry, const char *repository,
    struct err *err)
{
	const struct lister *lister = choose(registry);
	AUTO_FREE char *name = call_repository(registry, repository);

	if (!lister || !lister->drop)
		return not_by_api(registry, err);
	return name ? lister->drop(registry, name, err) : err_nomem(err);
}

int registry_untag(struct registry *registry, const char *repository,
    const char *tag, struct err *err)
{
	const struct lister *lister = choose(registry);
	AUTO_FREE char *name = call_repository(registry, repository);

	if (!lister || !lister->untag)
		return not_by_api(registry, err);
	return name ? lister->untag(registry, name, tag, err) : err_nomem(err);
}

int registry_search(struct registry *registry, const char *words,
    source_name_fn *each, void *arg, struct err *err)
{
	const struct lister *lister = choose(registry);
	struct filter filter = {NULL, 0, {each, arg}};
	const struct lister_reader reader = {pass_on, &filter};

	return lister && lister->search
		   ? lister->search(registry, words, &reader, err)
		   : not_by_api(registry, err);
}
