/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of container tools say of a registry: where its repositories
 * are read, in which order, and what need not be proven. They are read once,
 * when a registry is opened.
 *
 * - containers-registries.conf(5) with its drop-ins, or the file that
 *   $CONTAINERS_REGISTRIES_CONF names: prefixes with their locations, mirrors,
 *   what is insecure or blocked. Of all that match the longest prefix counts.
 * - containerd's /etc/containerd/certs.d/HOST/hosts.toml, where that has no
 *   prefix for a repository: its hosts are mirrors, its server the registry.
 * - Docker's /etc/docker/daemon.json, where neither says anything:
 *   registry-mirrors of Docker Hub. Its insecure-registries hold always.
 */
#ifndef CONFIG_REGISTRIES_H
#define CONFIG_REGISTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

/* The files of a registry, read; constant. */
struct registries;

/* host: as in references, "docker.io", "localhost:5000". -EINVAL for a file
 * that is not as it has to be: a sentence with its path and the line. */
int registries_open(const char *host, struct registries **out, struct err *err);
void registries_close(struct registries *registries);

DEFINE_CLEANUP(struct registries *, registries_close);

/* How another server than usual is to be trusted; paths of PEM files. */
struct endpoint_trust {
	bool insecure;   /* plain HTTP will do, or any certificate */
	char **ca_files; /* beside the system's; NULL-ended, or NULL */
	char *cert_file; /* NULL: as certs.d has it, and the authorities, too */
	char *key_file;
};

/* A repository at a registry. */
struct endpoint {
	const char *address; /* "HOST[:PORT]", a scheme before it or not */
	const char *path;    /* before the API's own, "/artifactory"; or "" */
	const struct endpoint_trust *trust;
	char *repository;
	bool by_tag; /* what may be asked for so */
	bool by_digest;
};

/* Where a repository is. All that it points to lives as long as the registries
 * do, but for what route_release() frees. */
struct route {
	/* Where it is read: mirrors in order, and last the registry. */
	struct endpoint *reads;
	size_t count;
	struct endpoint writes;
	const char *blocked_by; /* the file that forbids it, or NULL */
};

/*
 * Where a repository is, which is named in full ("library/alpine"). reference:
 * a tag or a digest's text, which a prefix may name, or NULL. -EINVAL where
 * what the files make of it is no name.
 */
int registries_route(const struct registries *registries,
    const char *repository, const char *reference, struct route *out,
    struct err *err);
void route_release(struct route *route);

/* Whether the files lead anywhere but to the host itself, or have certificates
 * for it, for any repository of it; else it counts whether it is insecure. */
bool registries_lead_away(const struct registries *registries);
const struct endpoint_trust *registries_trust(
    const struct registries *registries);

/* Calls each() for the hosts that registries.conf has a prefix for, but those
 * that it blocks; one may come twice. Nonzero ends it, and is returned. Errors
 * as registries_open(). */
int registries_hosts(int (*each)(void *arg, const char *host, struct err *err),
    void *arg, struct err *err);

/* What a short name stands for by the [aliases] of registries.conf, a name with
 * its host: 1 with a new string, or 0. Errors as registries_open(). */
int registries_alias(const char *name, char **out, struct err *err);

/*
 * The parts of the host that have rules of their own, one after the other: the
 * prefix of their repositories, "" for all others of the host. NULL at the end.
 * A part's repositories are those whose longest prefix it is, see
 * registries_part().
 */
const char *registries_parts(const struct registries *registries, size_t i);
const char *registries_part(const struct registries *registries,
    const char *repository);

#endif
