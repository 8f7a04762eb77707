/* SPDX-License-Identifier: Apache-2.0 */
/* Docker Hub's API: what the files of its driver share. */
#ifndef CLIENT_REGISTRY_HUB_H
#define CLIENT_REGISTRY_HUB_H

#include "service/service.h"

#define HUB "https://hub.docker.com"
#define HUB_API HUB "/v2"

/* "Bearer …" for the API in *value, for secret_free(); NULL without
 * credentials. */
int hub_authorize(struct registry *registry, char **value, struct err *err);

/* As in struct lister. */
int hub_make(struct registry *registry, const char *repository,
    struct err *err);
int hub_drop(struct registry *registry, const char *repository,
    struct err *err);
int hub_untag(struct registry *registry, const char *repository,
    const char *tag, struct err *err);
int hub_search(struct registry *registry, const char *words,
    const struct lister_reader *reader, struct err *err);

#endif
