/* SPDX-License-Identifier: Apache-2.0 */
/* Text that is made as printf(3) makes it. */
#include "base/strf.h"

#include <stdarg.h>
#include <stdio.h>

char *strf(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	return len < 0 ? NULL : text;
}
