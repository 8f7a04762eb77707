/* SPDX-License-Identifier: Apache-2.0 */
/* What is read: manifests and blobs. */
#include "reads.h"

#include <errno.h>
#include <string.h>

#include "base/lock.h"

static struct routes *routes_of(struct source *source)
{
	return (struct routes *)source;
}

static enum walk_order order_for(const char *reference)
{
	return strchr(reference, ':') ? WALK_BY_DIGEST : WALK_BY_TAG;
}

struct manifest_args {
	const char *reference;
	struct source_manifest *manifest;
	struct digest *digest;
	bool absent; /* the last one said so */
};

static int get_step(const struct walk_step *step, void *arg, struct err *err)
{
	struct manifest_args *args = arg;

	/* What another one sent of it is nothing to add to. */
	buf_reset(&args->manifest->body);
	return source_manifest_get(step->source, step->repository,
	    args->reference, args->manifest, err);
}

static int head_step(const struct walk_step *step, void *arg, struct err *err)
{
	struct manifest_args *args = arg;

	return source_manifest_head(step->source, step->repository,
	    args->reference, args->digest, err);
}

static int look_step(const struct walk_step *step, void *arg, struct err *err)
{
	struct manifest_args *args = arg;
	int r = source_manifest_look(step->source, step->repository,
	    args->reference, args->digest, err);

	args->absent |= r == 0 && !step->mirror;
	return r == 0 ? err_set(err, ENOENT, "there is no such manifest") : r;
}

int reads_manifest_get(struct source *source, const char *repository,
    const char *reference, struct source_manifest *out, struct err *err)
{
	struct manifest_args args = {.reference = reference, .manifest = out};

	return walk(routes_of(source), repository, reference,
	    order_for(reference), get_step, &args, err);
}

int reads_manifest_head(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err)
{
	struct manifest_args args = {.reference = reference, .digest = out};

	return walk(routes_of(source), repository, reference,
	    order_for(reference), head_step, &args, err);
}

int reads_manifest_look(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err)
{
	struct manifest_args args = {.reference = reference, .digest = out};
	struct err reason = ERR_INIT;
	int r = walk(routes_of(source), repository, reference,
	    order_for(reference), look_step, &args, &reason);

	if (r == -ENOENT && args.absent)
		return 0;
	if (r < 0)
		*err = reason;
	return r;
}

struct referrers_args {
	const struct digest *digest;
	source_referrer_fn *each;
	void *arg;
	int told; /* what each returned, which ends it */
	bool begun;
};

static int tell_referrer(void *arg, const struct descriptor *referrer,
    struct err *err)
{
	struct referrers_args *args = arg;

	args->begun = true;
	args->told = args->each(args->arg, referrer, err);
	return args->told;
}

static int referrers_step(const struct walk_step *step, void *arg,
    struct err *err)
{
	struct referrers_args *args = arg;
	int r;

	/* Half a list and another are no list. */
	if (args->begun)
		return err_set(err, EIO, "a list broke off");
	r = source_referrers(step->source, step->repository, args->digest,
	    tell_referrer, args, err);
	return args->told ? 0 : r;
}

int reads_referrers(struct source *source, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err)
{
	struct referrers_args args = {.digest = digest,
	    .each = each,
	    .arg = arg};
	int r = walk(routes_of(source), repository, NULL, WALK_LISTS,
	    referrers_step, &args, err);

	return args.told ? args.told : r;
}

/* A blob on its way to its reader, from one server after the other. */
struct blob_args {
	struct sink sink; /* passes on */
	struct sink *to;
	struct routes *routes;
	const struct digest *digest;
	uint64_t offset, len; /* of what is still to come; 0: to its end */
	bool all;             /* of a length that was asked for has come */
	int stopped;          /* what the reader refused more with */
};

static int pass(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct blob_args *args = (struct blob_args *)sink;
	int r = sink_write(args->to, data, len, err);

	args->stopped = r < 0 ? r : 0;
	if (r < 0)
		return r;
	args->offset += len;
	if (args->len > 0) {
		args->all = len >= args->len;
		args->len -= args->all ? args->len : len;
	}
	return r;
}

static void note_served(struct routes *routes, const struct digest *digest,
    const struct walk_step *step)
{
	SCOPED_LOCK(&routes->lock);
	unsigned i = routes->serving++ % SERVED_MAX;

	routes->served[i].digest = *digest;
	routes->served[i].by = step->by;
	routes->served[i].mirror = step->mirror;
}

static int blob_step(const struct walk_step *step, void *arg, struct err *err)
{
	struct blob_args *args = arg;
	int r;

	if (args->all)
		return 0;
	note_served(args->routes, args->digest, step);
	r = source_blob_read(step->source, step->repository, args->digest,
	    args->offset, args->len, &args->sink, err);
	/* That is no server's failure. */
	return args->stopped < 0 ? 0 : r;
}

int reads_blob(struct source *source, const char *repository,
    const struct digest *digest, uint64_t offset, uint64_t len,
    struct sink *sink, struct err *err)
{
	struct blob_args args = {.sink = {.write = pass},
	    .to = sink,
	    .routes = routes_of(source),
	    .digest = digest,
	    .offset = offset,
	    .len = len};
	struct err reason = ERR_INIT;
	int r = walk(args.routes, repository, NULL, WALK_BY_DIGEST, blob_step,
	    &args, &reason);

	if (args.stopped < 0)
		return args.stopped;
	if (r < 0)
		*err = reason;
	return r;
}

/* The server that gave bytes of it last, if that is a mirror. */
static struct backend *last_mirror(struct routes *routes,
    const struct digest *digest)
{
	SCOPED_LOCK(&routes->lock);

	for (unsigned back = 1; back <= SERVED_MAX; back++) {
		unsigned i = (routes->serving - back) % SERVED_MAX;

		if (routes->served[i].by &&
		    digest_equal(&routes->served[i].digest, digest))
			return routes->served[i].mirror ? routes->served[i].by
							: NULL;
	}
	return NULL;
}

bool reads_blob_wrong(struct source *source, const char *repository,
    const struct digest *digest)
{
	struct routes *routes = routes_of(source);
	struct backend *mirror = last_mirror(routes, digest);
	char text[DIGEST_TEXT_SIZE];
	struct err why = ERR_INIT;

	if (!mirror)
		return false;
	err_set(&why, EBADMSG, "its bytes of %s in %s are not that blob",
	    digest_format(digest, text), repository);
	backend_failed(&routes->backends, mirror, &why);
	return true;
}
