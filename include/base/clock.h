/* SPDX-License-Identifier: Apache-2.0 */
/* Time that only goes on. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Now, in seconds of the monotonic clock. */
int64_t clock_seconds(void);

#endif
