/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of names in a sentence. */
#include "list.h"

bool list_add(struct buf *list, const char *name)
{
	struct err full = ERR_INIT;

	if (list->len > 0 && buf_addstr(list, ", ", &full) < 0)
		return false;
	return buf_addstr(list, name, &full) == 0;
}
