/* SPDX-License-Identifier: Apache-2.0 */
/* The status in Prometheus' text format, version 0.0.4. */
#ifndef FS_METRICS_H
#define FS_METRICS_H

#include "status.h"

/* Appends all of it to out; -EFBIG, -ENOMEM. */
int metrics_print(const struct status *status, struct buf *out,
    struct err *err);

#endif
