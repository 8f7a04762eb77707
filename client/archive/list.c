/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of names in a sentence. */
#include "list.h"

bool list_add(struct buf *list, const char *name)
{
	if (list->len > 0 && buf_addstr(list, ", ", ERR_IGNORE) < 0)
		return false;
	return buf_addstr(list, name, ERR_IGNORE) == 0;
}
