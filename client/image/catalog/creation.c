/* SPDX-License-Identifier: Apache-2.0 */
/* The epoch of reproducible builds, or now. */
#include "creation.h"

#include <time.h>

int64_t creation_time(const struct images *images)
{
	int64_t epoch = images_options(images)->epoch;

	return epoch == EPOCH_NONE ? time(NULL) : epoch;
}
