/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts whose names may be looked up at the mount point. Those that are known
 * are listed: registries that were entered in this mount or an earlier one with
 * the same cache, and those that there are credentials for, certs.d directories
 * (containers-certs.d(5)), or prefixes in registries.conf. Any other is asked
 * whether it is a registry when its name is looked up, once, and what comes of
 * it is remembered for a while.
 */
#ifndef FS_HOSTS_H
#define FS_HOSTS_H

#include "base/cleanup.h"
#include "base/err.h"
#include "sources.h"

struct hosts;

/* sources is borrowed and outlives it. NULL: out of memory, err filled. */
struct hosts *hosts_new(struct mount_sources *sources, struct err *err);
void hosts_free(struct hosts *hosts);

DEFINE_CLEANUP(struct hosts *, hosts_free);

/*
 * The source that a host is, which is called by the one spelling of its name
 * (base/host_name.h): 1 with *out, or 0 where the name can be no host's,
 * or no registry answers there, which the log says. What else keeps it from
 * being one is -errno of registry_open().
 */
int hosts_find(struct hosts *hosts, const char *name, struct mount_source **out,
    struct err *err);

typedef int host_fn(void *arg, const char *host, struct err *err);

/* Calls each() for the hosts that are known; one may come twice. Nonzero ends
 * it, and is returned. */
int hosts_each(struct hosts *hosts, host_fn *each, void *arg, struct err *err);

#endif
