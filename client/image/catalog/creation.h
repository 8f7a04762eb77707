/* SPDX-License-Identifier: Apache-2.0 */
/* The time of what this program makes. */
#ifndef IMAGE_CREATION_H
#define IMAGE_CREATION_H

#include <stdint.h>

#include "image/images.h"

/* Seconds since 1970: now, unless the options say another. */
int64_t creation_time(const struct images *images);

#endif
