/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client side of the distribution API (distribution-spec; Docker's
 * _catalog). Every call blocks, authenticates itself when asked to, retries as
 * http/http.h says, and can be interrupted. Repository names and tags are
 * checked by the caller (oci/reference.h).
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "creds/creds.h"
#include "http/http.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "source/source.h"

struct registry;

struct registry_options {
	/* "localhost:5000", "docker.io", "https://reg.example.com": a scheme
	 * settles how it is talked to. A path after the host is an error here
	 * (the caller splits a namespace off). */
	const char *address;
	bool insecure; /* unverified TLS, or plain HTTP */
	const char
	    *path; /* before the API's own, "/artifactory"; may be NULL */
	/* Files of PEM in the place of those in certs.d directories, if there
	 * are any: authorities beside the system's, NULL-ended, and our own
	 * certificate with its key. All may be NULL. */
	const char *const *ca_files;
	const char *cert_file;
	const char *key_file;
	/* What lists its repositories (registry_lister_known()), borrowed;
	 * NULL: what is found to. */
	const char *lister;
};

/*
 * Settles scheme and trust (certs.d directories, see containers-certs.d(5))
 * and asks GET /v2/. Loopback hosts, by their names or by /etc/hosts, are tried
 * with unverified TLS and plain HTTP, side by side unless one answers soon.
 * http and creds are borrowed and outlive it. -ECONNREFUSED and what
 * http_open() says; -EPROTONOSUPPORT where something answers that is no
 * registry. A 401 is an answer.
 */
int registry_open(struct http *http, struct creds *creds,
    const struct registry_options *options, struct registry **out,
    struct err *err);
void registry_close(struct registry *registry);

DEFINE_CLEANUP(struct registry *, registry_close);

/*
 * Whether the registry takes the credentials that are stored for it, or for a
 * repository or namespace there (may be NULL), as `docker login` asks: -EACCES
 * with a sentence that says whose it refuses and what to do, or 0 where it
 * takes them, where there are none, or where it cannot be asked; or what
 * creds_lookup() says. A registry that asks for no credentials, or for which
 * there are none, is asked nothing; others for a token and GET /v2/, once.
 */
int registry_check_login(struct registry *registry, const char *repository,
    struct err *err);

/*
 * Whether the registry takes user and password, before they are stored: 1, or 0
 * where it asks for no credentials; -EACCES with a sentence where it refuses
 * them, or why it cannot be asked. *identity: a token that stands for them, for
 * secret_free(), where the token server gives one (and takes it), else NULL.
 */
int registry_try_login(struct registry *registry,
    const struct credential *credential, char **identity, struct err *err);

/* Whether no credentials are stored for a repository or namespace (may be
 * NULL). False where that cannot be known. */
bool registry_lacks_login(struct registry *registry, const char *repository);

/* The host of an address, as registry_host() has it: a new string. Asks nobody.
 * -EINVAL with a sentence. */
int registry_parse_host(const char *address, char **out, struct err *err);

/* The host (with port) as users write it, for messages and credentials. */
const char *registry_host(const struct registry *registry);

/* The reference by which any client pulls from a repository here, still without
 * a tag or a digest: "docker.io/library/alpine", whatever Docker Hub was called
 * when it was opened. -ENAMETOOLONG. */
int registry_reference(const struct registry *registry, const char *repository,
    struct reference *out, struct err *err);

/* The same of an address, before anything is asked there; and its host, as
 * references have it. -EINVAL as registry_open(). */
int registry_address_reference(const char *address, const char *repository,
    struct reference *out, struct err *err);
int registry_address_host(const char *address, char out[REFERENCE_HOST_MAX + 1],
    struct err *err);

/* What the registry said last of its limit of requests. */
struct source_limit registry_limit(struct registry *registry);

/*
 * All repositories (GET _catalog, paged by Link); invalid names are left out.
 * -EOPNOTSUPP where the registry lets us in and does not list them; -EACCES
 * where credentials are missing or refused; -EPROTONOSUPPORT where the refusal
 * is a page that is not the registry's. Memory is flat for any length.
 */
int registry_catalog(struct registry *registry, source_name_fn *each, void *arg,
    struct err *err);

/*
 * The same with the help of a driver, where _catalog lists nothing and the
 * service has an API that does. 1 where there may be more than was listed. What
 * fails without being refused is -EIO with err->http. Memory is flat for any
 * length.
 */
int registry_list(struct registry *registry, source_name_fn *each, void *arg,
    struct err *err);

/* The repositories below a namespace, and one that is named as it is, by a
 * driver; a name may be that of a namespace, too. -EOPNOTSUPP where there is no
 * driver that can, or it is refused. */
int registry_list_below(struct registry *registry, const char *prefix,
    source_name_fn *each, void *arg, struct err *err);

/*
 * By the API of the service, where its driver has that and can be asked
 * (-EOPNOTSUPP): makes a repository before anything is in it, removes one with
 * all that is in it (-ENOENT), removes a tag and no other of the same manifest
 * (-ENOENT), and finds repositories by words, best first. -EACCES with a
 * sentence where the service refuses it.
 */
int registry_make(struct registry *registry, const char *repository,
    struct err *err);
int registry_drop(struct registry *registry, const char *repository,
    struct err *err);
int registry_untag(struct registry *registry, const char *repository,
    const char *tag, struct err *err);
int registry_search(struct registry *registry, const char *words,
    source_name_fn *each, void *arg, struct err *err);

/* As source_facts(), by what the driver keeps of its lists. */
int registry_facts(struct registry *registry, const char *repository,
    const char *tag, unsigned age, source_fact_fn *each, void *arg,
    struct err *err);

/* Whether registry_options can have that lister: a driver's name, "catalog" or
 * "none". */
bool registry_lister_known(const char *name);

/* All tags of a repository; invalid ones are left out. -ENOENT: the registry
 * says that there is no such repository. A 404 that is not its own word, but a
 * gateway's or that of a page, is -EIO with err->http. */
int registry_tags(struct registry *registry, const char *repository,
    source_name_fn *each, void *arg, struct err *err);

/*
 * GET of a manifest by tag or digest text; the body was hashed, and for a
 * digest compared (-EBADMSG). -ENOENT where the registry itself says that it
 * has no such manifest: a 404 that is not its word, but a gateway's or a login
 * page's, is -EIO, and so is what is no manifest in the place of a tag's.
 * -ENOTSUP for a
 * schema 1 manifest by digest, which is not that of its bytes. Release with
 * buf_release(&m->body).
 */
int registry_manifest_get(struct registry *registry, const char *repository,
    const char *reference, struct source_manifest *out, struct err *err);

/* What a tag or digest names now: HEAD, or a GET where the server gives no
 * digest to a HEAD. -ENOENT for any 404, the registry's or a gateway's. */
int registry_manifest_head(struct registry *registry, const char *repository,
    const char *reference, struct digest *out, struct err *err);

/* What a tag or digest names now, by a HEAD: 1 with *out, or 0 where the
 * registry itself says that there is no such manifest, for which a GET asks
 * after the HEAD. Errors as of the two. */
int registry_manifest_look(struct registry *registry, const char *repository,
    const char *reference, struct digest *out, struct err *err);

/*
 * Whether the registry asks another one for what it does not have: it is a
 * pull-through cache, which lists only what was pulled. 1, or 0. A repository
 * is named that it does not have. One request, never repeated.
 */
int registry_pulls_through(struct registry *registry, const char *repository,
    struct err *err);

/*
 * PUT under a tag, or a digest's text. It has succeeded with the
 * specification's 201, where the digest that the server names, if it does, is
 * compared with `digest` (-EBADMSG). Where the answer leaves open what was done
 * (any other success, a redirect, a connection that broke) it has succeeded
 * where the registry then names `digest`, else -EIO. 0, or 1 where the answer
 * has OCI-Subject: the server then keeps the list of what refers to the
 * manifest's subject, else the one who puts it does. -EACCES, -EPERM (policy),
 * -EINVAL with what the registry said.
 */
int registry_manifest_put(struct registry *registry, const char *repository,
    const char *reference, const char *media_type, const void *data, size_t len,
    const struct digest *digest, struct err *err);

/*
 * What refers to a manifest (GET referrers, paged by Link). -EOPNOTSUPP where
 * the registry has no such list: a tag has it then, if anything; err->http is
 * 200 where a page for browsers came, which may be somebody else's. -ENOENT: no
 * such repository. A manifest that is not there has no referrers.
 */
int registry_referrers(struct registry *registry, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err);

/*
 * DELETE of a manifest by tag or digest text. By a digest it takes all of its
 * tags along; by a tag, where the registry can do that, only this one. It has
 * succeeded with the specification's 202, or, where the answer leaves that open
 * as with a PUT, if the registry then says that it has no such manifest.
 * -ENOENT (a 404, not looked into); -EOPNOTSUPP where the registry does not
 * delete so; -EACCES, -EPERM.
 */
int registry_manifest_delete(struct registry *registry, const char *repository,
    const char *reference, struct err *err);

/* The same of what was there a moment ago: where a 404 comes, somebody else has
 * deleted it, or the first of two tries has; 0 if the registry says so, else
 * -EIO. */
int registry_manifest_remove(struct registry *registry, const char *repository,
    const char *reference, struct err *err);

/*
 * Opens len bytes of a blob from `offset` on, or with 0 all to its end:
 * redirects are followed without credentials, a server that ignores Range is
 * read past the start. *out is read with http_read(), which gives no more than
 * len bytes (fewer where the blob ends, or where the server sends fewer), and
 * closed with http_close(). -ENOENT; -EIO where it sends other bytes.
 */
int registry_blob_open(struct registry *registry, const char *repository,
    const struct digest *digest, uint64_t offset, uint64_t len,
    struct http_response **out, struct err *err);

/* HEAD: 1 the repository has the blob; 0 it does not, or what it has is of
 * another size or digest, or a page; or an error. size: UINT64_MAX if it is not
 * known. */
int registry_blob_head(struct registry *registry, const char *repository,
    const struct digest *digest, uint64_t size, struct err *err);

/*
 * Cross-repository mount: 1 done, 0 the registry would not (no error; any
 * session it opened is cancelled), or an error. Of a blob whose digest is not
 * sha256, a HEAD has to show it, too: docker-registry 2.8 says that it has
 * mounted such a blob, and has not.
 */
int registry_blob_mount(struct registry *registry, const char *repository,
    const struct digest *digest, const char *from, struct err *err);

/*
 * Uploads a blob: POST and PUT whole, PATCH and PUT where that is refused.
 * Tokens are renewed on the way, and the whole is tried again where the network
 * or the server fails. Where the answer to a PUT leaves open what was done, a
 * HEAD tells. Errors as registry_manifest_put().
 */
int registry_blob_upload(struct registry *registry, const char *repository,
    const struct digest *digest, const struct payload *body, struct err *err);

#endif
