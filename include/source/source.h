/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What images are read from and written to: repositories of manifests, which
 * tags and digests name, and of blobs. A registry is one (registry/source.h),
 * an image layout on a disk another.
 *
 * Every call can be made from any thread, blocks, and can be interrupted
 * (base/task.h: -EINTR). Repository names and tags are checked by the caller
 * (oci/reference.h); a reference is a tag or a digest's text.
 *
 * A failure that is the source's own answer has err->http set, to the status
 * that says it in HTTP. -ENOENT without one says nothing of what the source
 * has: something else was not found on the way there.
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/payload.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "stream/sink.h"

/* What a source is known to do without being asked. What it is not known to do
 * may succeed all the same; else the call is -EOPNOTSUPP. */
enum source_ability {
	SOURCE_LISTS = 1 << 0,        /* its repositories, all of them */
	SOURCE_PUSHES = 1 << 1,       /* takes images */
	SOURCE_DELETES_TAGS = 1 << 2, /* one tag, and not its manifest */
	SOURCE_REFERRERS = 1 << 3,    /* says what refers to a manifest */
	SOURCE_MOUNTS = 1 << 4,       /* blobs from one repository in another */
	/* It lies on this machine: nothing of it has to be kept to be there
	 * the next time, and it is never away. */
	SOURCE_LOCAL = 1 << 5,
	/* Its readers know Docker's media types, by which what docker saved
	 * stays as it was. */
	SOURCE_DOCKER_TYPES = 1 << 6,
	/* Its repositories can be below others, and namespaces below one
	 * another. */
	SOURCE_NESTS = 1 << 7,
	SOURCE_SEARCHES = 1 << 8, /* finds repositories by words */
};

struct source_manifest {
	struct buf body;      /* empty after source_manifest_head() */
	char media_type[256]; /* without parameters; "" where none was said */
	struct digest digest; /* of the body; of a head what the source says */
};

/*
 * What the source said last of its limit of requests. Docker Hub does with
 * each manifest: "ratelimit-limit: 100;w=21600", "ratelimit-remaining:
 * 76;w=21600", "docker-ratelimit-source: ADDRESS OR ACCOUNT".
 */
struct source_limit {
	struct {
		time_t at;                 /* when it was said; 0: never */
		uint64_t limit, remaining; /* UINT64_MAX: not said */
		uint64_t window;           /* seconds; likewise */
		char source[128];          /* "" if not said */
	} quota;
	struct {
		time_t at;            /* when a 429 came last; 0: never */
		uint64_t retry_after; /* seconds; UINT64_MAX: not said */
	} refusal;
};

/* Called for each name, in the source's order; nonzero ends the listing and is
 * returned. The name is valid during the call. */
typedef int source_name_fn(void *arg, const char *name, struct err *err);

/* Called for each descriptor of a list; nonzero ends it and is returned. */
typedef int source_referrer_fn(void *arg, const struct descriptor *referrer,
    struct err *err);

/* Called for each thing that is said of a repository or tag, "stars" and "12":
 * the names are source_facts()'. Nonzero ends it and is returned. */
typedef int source_fact_fn(void *arg, const char *name, const char *value,
    struct err *err);

struct source;

/* One for each kind of source. The functions below say what each does; those
 * that may be NULL are marked, with what the call then comes to. */
struct source_ops {
	void (*close)(struct source *source);
	int (*reference)(struct source *source, const char *repository,
	    struct reference *out, struct err *err);
	void (*limit)(struct source *source,
	    struct source_limit *out); /* NULL: never said */
	bool (*lacks_login)(struct source *source,
	    const char *repository); /* NULL: false */

	int (*repositories)(struct source *source, source_name_fn *each,
	    void *arg, struct err *err);
	int (*repositories_below)(struct source *source, const char *prefix,
	    source_name_fn *each, void *arg,
	    struct err *err); /* NULL: -EOPNOTSUPP */
	int (*pulls_through)(struct source *source, const char *repository,
	    struct err *err); /* NULL: 0 */
	int (*tags)(struct source *source, const char *repository,
	    source_name_fn *each, void *arg, struct err *err);

	int (*facts)(struct source *source, const char *repository,
	    const char *tag, unsigned age, source_fact_fn *each, void *arg,
	    struct err *err); /* NULL: none are known */

	int (*make)(struct source *source, const char *repository,
	    struct err *err); /* NULL: -EOPNOTSUPP, as the next two */
	int (*drop)(struct source *source, const char *repository,
	    struct err *err);
	int (*search)(struct source *source, const char *words,
	    source_name_fn *each, void *arg, struct err *err);

	int (*manifest_get)(struct source *source, const char *repository,
	    const char *reference, struct source_manifest *out,
	    struct err *err);
	int (*manifest_head)(struct source *source, const char *repository,
	    const char *reference, struct digest *out, struct err *err);
	int (*manifest_look)(struct source *source, const char *repository,
	    const char *reference, struct digest *out, struct err *err);
	int (*manifest_put)(struct source *source, const char *repository,
	    const char *reference, const char *media_type, const void *data,
	    size_t len, const struct digest *digest, struct err *err);
	int (*manifest_delete)(struct source *source, const char *repository,
	    const char *reference, struct err *err);
	int (*manifest_remove)(struct source *source, const char *repository,
	    const char *reference, struct err *err);
	int (*referrers)(struct source *source, const char *repository,
	    const struct digest *digest, source_referrer_fn *each, void *arg,
	    struct err *err);

	int (*blob_read)(struct source *source, const char *repository,
	    const struct digest *digest, uint64_t offset, uint64_t len,
	    struct sink *sink, struct err *err);
	int (*blob_file)(struct source *source, const char *repository,
	    const struct digest *digest, uint64_t size,
	    struct err *err); /* NULL: -EOPNOTSUPP */
	bool (*blob_wrong)(struct source *source, const char *repository,
	    const struct digest *digest); /* NULL: false */
	int (*blob_head)(struct source *source, const char *repository,
	    const struct digest *digest, uint64_t size, struct err *err);
	int (*blob_mount)(struct source *source, const char *repository,
	    const struct digest *digest, const char *from, struct err *err);
	int (*blob_put)(struct source *source, const char *repository,
	    const struct digest *digest, const struct payload *payload,
	    struct err *err);
};

/* An implementation embeds it as its first member. */
struct source {
	const struct source_ops *ops;
	const char *name; /* as users write it, for messages and notes */
	const char *kind; /* what it is: "registry", "layout" */
	unsigned can;     /* of enum source_ability */
	/* The repository that it is, as one layout is; NULL: it has them. */
	const char *own;
};

/* Frees the source, which nobody uses any more. */
void source_close(struct source *source);

DEFINE_CLEANUP(struct source *, source_close);

/* The source as users write it: "localhost:5000", "oci:/srv/images". Lives as
 * long as the source. */
const char *source_name(const struct source *source);

/* Where a repository lies, for messages: "localhost:5000/app"; of the one that
 * the source is, "oci:/srv/app". What is longer than size is cut. Gives out. */
const char *source_place(const struct source *source, const char *repository,
    char *out, size_t size);

/* What it is, for messages: "registry", "layout". */
const char *source_kind(const struct source *source);

/* Whether it is known to do that. */
bool source_can(const struct source *source, enum source_ability ability);

/* The reference by which any client pulls from a repository here, still without
 * a tag or a digest: "docker.io/library/alpine", whatever Docker Hub was called
 * when it was opened. -ENAMETOOLONG. */
int source_reference(struct source *source, const char *repository,
    struct reference *out, struct err *err);

/* A copy of what was said last; zeroed if nothing was. */
struct source_limit source_limit(struct source *source);

/* Whether there are no credentials for a repository or namespace: what is
 * refused there is refused to nobody in particular. Asks no source. */
bool source_lacks_login(struct source *source, const char *repository);

/*
 * All repositories; invalid names are left out. Memory is flat for any length.
 * 1 where there may be more than those, which are the login's own for example.
 * -EOPNOTSUPP where the source lets us in and does not list them; -EACCES where
 * credentials are missing or refused; -EPROTONOSUPPORT where the refusal is a
 * page that is not the source's.
 */
int source_repositories(struct source *source, source_name_fn *each, void *arg,
    struct err *err);

/*
 * The repositories below a namespace, "a" or "a/b", and one of that name; what
 * is named may be a namespace again. For sources that do not list all:
 * -EOPNOTSUPP where the source cannot be asked so.
 */
int source_repositories_below(struct source *source, const char *prefix,
    source_name_fn *each, void *arg, struct err *err);

/*
 * Whether the source asks another one for what it does not have: it is a
 * pull-through cache, which lists only what was pulled. 1, or 0. A repository
 * is named that it does not have. One request, never repeated.
 */
int source_pulls_through(struct source *source, const char *repository,
    struct err *err);

/* All tags of a repository; invalid ones are left out. -ENOENT: the source says
 * that there is no such repository. A 404 that is not its own word, but a
 * gateway's or that of a page, is -EIO with err->http. */
int source_tags(struct source *source, const char *repository,
    source_name_fn *each, void *arg, struct err *err);

/*
 * What the source says of a repository (tag: NULL) or of a tag beside its name:
 * of a repository what came with the lists that had it, without a request; of a
 * tag what comes with a list of all tags, which is not older than age seconds.
 * The names, and what they mean:
 *
 *	description, stars, pulls, private ("true"), visibility; pushed (the
 *	last time, RFC 3339); of a tag also size (bytes, as stored), signed
 *	("true"), cve.severity (of the worst), cve.count
 *
 * What cannot be asked for is not known, and no failure.
 */
int source_facts(struct source *source, const char *repository, const char *tag,
    unsigned age, source_fact_fn *each, void *arg, struct err *err);

/*
 * Makes a repository before anything is in it; removes one that nothing is in
 * any more (-ENOENT). -EOPNOTSUPP where the source has no way to, and a
 * repository is there from its first tag to its last; -EACCES with a sentence
 * where it refuses that.
 */
int source_make(struct source *source, const char *repository, struct err *err);
int source_drop(struct source *source, const char *repository, struct err *err);

/* Repositories that the source finds by words, best first, with what it says of
 * them (source_facts()). -EOPNOTSUPP. */
int source_search(struct source *source, const char *words,
    source_name_fn *each, void *arg, struct err *err);

/*
 * The bytes of a manifest, which were hashed, and for a digest compared
 * (-EBADMSG). -ENOENT where the source itself says that it has no such
 * manifest: what is not its word, or is not a manifest, is -EIO. -ENOTSUP for a
 * schema 1 manifest by digest, which is not that of its bytes. Release with
 * buf_release(&m->body).
 */
int source_manifest_get(struct source *source, const char *repository,
    const char *reference, struct source_manifest *out, struct err *err);

/* What a tag or digest names now, asked for as cheaply as can be. -ENOENT also
 * where that may be another's word. */
int source_manifest_head(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err);

/* The same: 1 with *out, or 0 where the source itself says that there is no
 * such manifest. */
int source_manifest_look(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err);

/*
 * Puts a manifest under a tag, or under its digest's text alone. 0, or 1 where
 * the source says that it notes what the manifest refers to; else the one who
 * puts it does. -EIO where it is not known whether it was put; -EACCES, -EPERM
 * (policy), -EINVAL with what the source said, -EBADMSG where the digest is
 * another's.
 */
int source_manifest_put(struct source *source, const char *repository,
    const char *reference, const char *media_type, const void *data, size_t len,
    const struct digest *digest, struct err *err);

/*
 * Deletes by a digest's text a manifest with all of its tags; by a tag, where
 * the source can do that, only this one. -ENOENT; -EOPNOTSUPP where it does not
 * delete so; -EACCES, -EPERM.
 */
int source_manifest_delete(struct source *source, const char *repository,
    const char *reference, struct err *err);

/* The same of what was there a moment ago: 0 also where somebody else has
 * deleted it meanwhile. */
int source_manifest_remove(struct source *source, const char *repository,
    const char *reference, struct err *err);

/*
 * What refers to a manifest, which need not be there. -EOPNOTSUPP where the
 * source keeps no such list: a tag has it then, if anything; err->http is 200
 * where a page for browsers came. -ENOENT: no such repository.
 */
int source_referrers(struct source *source, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err);

/*
 * Writes len bytes of a blob from `offset` on to the sink, or with 0 all to its
 * end; fewer where it ends, or the source sends fewer. They are not verified.
 * -ENOENT; -EIO where the source gives other bytes.
 */
int source_blob_read(struct source *source, const char *repository,
    const struct digest *digest, uint64_t offset, uint64_t len,
    struct sink *sink, struct err *err);

/* The bytes that came of a blob last were not the blob's. Whether others would
 * come the next time: there is more than one server, and the one that sent them
 * is not asked for a while. */
bool source_blob_wrong(struct source *source, const char *repository,
    const struct digest *digest);

/* Of a local source (SOURCE_LOCAL) opens the file that is the blob: its
 * descriptor, for reading. The bytes are not verified. -ENOENT, or -EIO where
 * its size is another. */
int source_blob_file(struct source *source, const char *repository,
    const struct digest *digest, uint64_t size, struct err *err);

/* 1: the repository has the blob; 0: it does not, or what it has is of another
 * size or digest, or a page. size: UINT64_MAX if it is not known. */
int source_blob_head(struct source *source, const char *repository,
    const struct digest *digest, uint64_t size, struct err *err);

/* Gives a repository a blob that another one, `from`, has: 1 done, 0 the source
 * would not, which is no failure. */
int source_blob_mount(struct source *source, const char *repository,
    const struct digest *digest, const char *from, struct err *err);

/* Puts a blob, whose bytes the source compares with the digest. Errors as
 * source_manifest_put(). */
int source_blob_put(struct source *source, const char *repository,
    const struct digest *digest, const struct payload *payload,
    struct err *err);

#endif
