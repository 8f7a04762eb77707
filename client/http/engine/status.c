/* SPDX-License-Identifier: Apache-2.0 */
/* What a status means to a user of files. */
#include <errno.h>
#include <stddef.h>

#include "http/http.h"

static const struct {
	int status;
	int code;
} meanings[] = {
    {400, EINVAL},
    {401, EACCES},
    {402, EACCES},
    {403, EACCES},
    {404, ENOENT},
    {405, EOPNOTSUPP},
    {407, EACCES},
    {408, ETIMEDOUT},
    {409, EBUSY},
    {410, ENOENT},
    {412, EPERM},
    {413, EFBIG},
    {416, EIO},
    {422, EINVAL},
    {423, EBUSY},
    {429, EBUSY},
    {451, EACCES},
    {501, EOPNOTSUPP},
    {504, ETIMEDOUT},
    {507, ENOSPC},
};

int http_status_errno(int status)
{
	if (status >= 200 && status < 300)
		return 0;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].status == status)
			return meanings[i].code;
	return EIO;
}
