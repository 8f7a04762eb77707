/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of repositories and tags. */
#include "lists.h"

#include <errno.h>
#include <string.h>

#include "base/strf.h"

/* Names on their way to who asked. */
struct list_args {
	struct routes *routes;
	const char *repository; /* of tags; NULL: repositories are listed */
	const char *part;       /* of the registry, whose names are wanted */
	const char *rule;       /* that is for all of them: a part of its own */
	const char *namespace;  /* in which they are at that server */
	const char *words;      /* of a search */
	source_name_fn *each;
	void *arg;
	int told;   /* what each returned, which ends it */
	bool begun; /* some names have been told */
};

static int tell(struct list_args *args, const char *name, struct err *err)
{
	args->begun = true;
	args->told = args->each(args->arg, name, err);
	return args->told;
}

static int tell_tag(void *arg, const char *name, struct err *err)
{
	return tell(arg, name, err);
}

/* What of a name is below a namespace: NULL where it is not in it. */
static const char *below(const char *name, const char *namespace)
{
	size_t len = strlen(namespace);

	if (len == 0)
		return name;
	if (strncmp(name, namespace, len) != 0)
		return NULL;
	if (name[len] == '\0')
		return name + len;
	return name[len] == '/' ? name + len + 1 : NULL;
}

/* The name that a repository of a server has here, if it has one: it is in that
 * part of the registry, and no other server has it. */
static int tell_repository(void *arg, const char *name, struct err *err)
{
	struct list_args *args = arg;
	const char *rest = below(name, args->namespace);
	AUTO_FREE char *here = NULL;

	if (!rest)
		return 0;
	here =
	    strf("%s%s%s", args->part, *args->part && *rest ? "/" : "", rest);
	if (!here)
		return err_nomem(err);
	if (!*here || strcmp(registries_part(args->routes->registries, here),
			  args->rule) != 0)
		return 0;
	return tell(args, here, err);
}

/* One in the namespace that is asked about: of Docker Hub a name alone is one
 * of `library`, also where a namespace is meant. */
#define SOME_NAME "/x"

/* Of the registry alone: mirrors list what they have. */
static int below_step(const struct walk_step *step, void *arg, struct err *err)
{
	struct list_args *args = arg;
	size_t len = strlen(step->repository), end = strlen(SOME_NAME);
	AUTO_FREE char *namespace = NULL;
	int r;

	/* All of another registry, which is no namespace there. */
	if (len <= end) {
		err->code = EOPNOTSUPP;
		return -EOPNOTSUPP;
	}
	namespace = strndup(step->repository, len - end);
	if (!namespace)
		return err_nomem(err);
	args->namespace = namespace;
	r = source_repositories_below(step->source, namespace, tell_repository,
	    args, err);
	return args->told ? 0 : r;
}

static int search_step(const struct walk_step *step, void *arg, struct err *err)
{
	struct list_args *args = arg;
	int r;

	args->namespace = step->repository;
	r = source_search(step->source, args->words, tell_repository, args,
	    err);
	return args->told ? 0 : r;
}

static int list_step(const struct walk_step *step, void *arg, struct err *err)
{
	struct list_args *args = arg;
	int r;

	/* Half a list and another are no list. */
	if (args->begun)
		return err_set(err, EIO, "a list broke off");
	args->namespace = step->repository;
	r = args->repository
		? source_tags(step->source, step->repository, tell_tag, args,
		      err)
		: source_repositories(step->source, tell_repository, args, err);
	return args->told ? 0 : r;
}

int lists_tags(struct source *source, const char *repository,
    source_name_fn *each, void *arg, struct err *err)
{
	struct list_args args = {.routes = (struct routes *)source,
	    .repository = repository,
	    .each = each,
	    .arg = arg};
	int r = walk(args.routes, repository, NULL, WALK_LISTS, list_step,
	    &args, err);

	return args.told ? args.told : r;
}

int lists_repositories(struct source *source, source_name_fn *each, void *arg,
    struct err *err)
{
	struct list_args args = {.routes = (struct routes *)source,
	    .each = each,
	    .arg = arg};
	const struct registries *registries = args.routes->registries;
	bool more = false; /* than is listed */
	int r = 0;

	for (size_t i = 0; r >= 0 && !args.told; i++) {
		args.part = registries_parts(registries, i);
		if (!args.part)
			break;
		args.rule = args.part;
		args.begun = false;
		r = walk(args.routes, args.part, NULL, WALK_LISTS, list_step,
		    &args, err);
		more |= r == 1;
		/* What is blocked has no names. */
		if (r == -EPERM && err->http == 0 && *args.part) {
			*err = (struct err)ERR_INIT;
			r = 0;
		}
	}
	if (args.told)
		return args.told;
	return r < 0 ? r : more;
}

int lists_repositories_below(struct source *source, const char *prefix,
    source_name_fn *each, void *arg, struct err *err)
{
	struct routes *routes = (struct routes *)source;
	struct list_args args = {.routes = routes,
	    .part = prefix,
	    .rule = registries_part(routes->registries, prefix),
	    .each = each,
	    .arg = arg};
	AUTO_FREE char *some = strf("%s" SOME_NAME, prefix);
	int r = some ? walk_write(routes, some, NULL, below_step, &args, err)
		     : err_nomem(err);

	return args.told ? args.told : r;
}

int lists_search(struct source *source, const char *words, source_name_fn *each,
    void *arg, struct err *err)
{
	struct routes *routes = (struct routes *)source;
	struct list_args args = {.routes = routes,
	    .part = "",
	    .rule = "",
	    .words = words,
	    .each = each,
	    .arg = arg};
	int r = walk_write(routes, "", NULL, search_step, &args, err);

	return args.told ? args.told : r;
}
