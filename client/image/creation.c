/* SPDX-License-Identifier: Apache-2.0 */
/* SOURCE_DATE_EPOCH, or now. */
#include "creation.h"

#include <stdlib.h>
#include <time.h>

#include "base/parse.h"

int64_t creation_time(void)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t seconds;

	if (epoch && parse_u64(&epoch, INT64_MAX, &seconds) && !*epoch)
		return (int64_t)seconds;
	return time(NULL);
}
