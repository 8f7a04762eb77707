/* SPDX-License-Identifier: Apache-2.0 */
/* The files, one kind of tool a function. Each adds to what there is; a file
 * that is not there says nothing. -EINVAL with its path and the line. */
#ifndef CLIENT_CONFIG_FILES_H
#define CLIENT_CONFIG_FILES_H

#include "base/buf.h"
#include "rule.h"

#define CONTAINERS_DIR "/etc/containers"
#define DOCKER_DAEMON "/etc/docker/daemon.json"
#define CONTAINERD_DIR "/etc/containerd/certs.d"

/* A registries.conf with this text, in the newer format alone where it is a
 * drop-in. Its rules replace those with the same prefix. */
int containers_parse(const char *text, size_t len, const char *path,
    bool drop_in, struct rules *rules, struct err *err);
/* All that there are. */
int containers_load(struct rules *rules, struct err *err);

/* A hosts.toml in a directory, as the rule of that host. */
int containerd_parse(const char *text, size_t len, const char *path,
    const char *host, struct rule *out, struct err *err);
/* 1, or 0 where the host has no such file. */
int containerd_load(const char *host, struct rule *out, struct err *err);

/* A daemon.json: the mirrors of Docker Hub, and what is insecure. */
int docker_parse(const char *text, size_t len, const char *path,
    struct rule *hub, struct insecure *insecure, struct err *err);
int docker_load(struct rule *hub, struct insecure *insecure, struct err *err);
/* Whether a host ("NAME[:PORT]") is one of them: by its name, or by its
 * address where it is one, or the text of hosts(5) has it. */
bool insecure_has(const struct insecure *insecure, const char *hosts,
    const char *host);
void insecure_release(struct insecure *insecure);

/* A larger file is not one of these. */
enum { CONFIG_FILE_MAX = 1 << 20 };

/* The text of a file: 1, or 0 where it is missing, or where the user may not
 * read it, which the log says. -EIO and such with a sentence. */
int config_slurp(const char *path, struct buf *out, struct err *err);

/* Says in the log that a file or directory is ignored, which the user may not
 * read. */
void config_unreadable(const char *path);

/* A url "SCHEME://HOST[:PORT][/PATH]" as a place: below the API's /v2/ a path
 * is a namespace. whole: the path is the API's root, and nothing is to be
 * added. */
int place_parse_url(struct rule_place *place, const char *url, bool whole,
    struct err *err);

#endif
