/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts there are logins for. */
#include <errno.h>
#include <string.h>

#include "authfile.h"
#include "base/file.h"
#include "creds/secret.h"
#include "state.h"

/* What is wrong with a file a lookup says. */
static int each_in_file(const char *path, creds_host_fn *each, void *arg,
    struct err *err)
{
	AUTO_SECRET_BUF struct buf text = BUF_INIT(AUTHFILE_MAX);
	int r;

	if (file_slurp(path, &text, ERR_IGNORE) < 0)
		return 0;
	r = authfile_hosts(buf_str(&text), text.len, each, arg, err);
	return r == -EINVAL ? 0 : r;
}

int creds_hosts(struct creds *creds, creds_host_fn *each, void *arg,
    struct err *err)
{
	const struct auth_files *files = &creds->files;
	int r = 0;

	if (files->environment)
		r = authfile_hosts(files->environment,
		    strlen(files->environment), each, arg, err);
	for (size_t i = 0; i < files->count && r == 0; i++)
		r = each_in_file(files->file[i].path, each, arg, err);
	return r;
}
