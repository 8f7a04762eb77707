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

#endif
