/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs were refused by a rule of the mount. rm -rf in an image is
 * refused file by file: the log has that once.
 */
#ifndef FS_REFUSALS_H
#define FS_REFUSALS_H

#include <stdbool.h>

#include "base/err.h"

struct refusals;

/* NULL on failure, err filled. */
struct refusals *refusals_new(struct err *err);
/* NULL is allowed. */
void refusals_free(struct refusals *refusals);

/*
 * Notes that the caller was refused something: "RULE, CONSEQUENCE" or "RULE;
 * ADVICE". False where the same process has run into the same rule within the
 * last minute.
 */
bool refusals_are_new(struct refusals *refusals, const char *sentence);

#endif
