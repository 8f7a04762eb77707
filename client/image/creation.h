/* SPDX-License-Identifier: Apache-2.0 */
/* The time of what this program makes. */
#ifndef IMAGE_CREATION_H
#define IMAGE_CREATION_H

#include <stdint.h>

/* Seconds since 1970: now, unless builds are to be reproducible
 * (reproducible-builds.org/specs/source-date-epoch). */
int64_t creation_time(void);

#endif
