/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of this library share. */
#ifndef CREDS_STATE_H
#define CREDS_STATE_H

#include <pthread.h>

#include "answers.h"
#include "creds/creds.h"
#include "files.h"

/* A file with a hundred logins has 20 KiB. */
enum { AUTHFILE_MAX = 1 << 20 };

struct creds {
	struct auth_files files; /* constant, but for what was seen of them */
	struct answers *answers; /* of helpers */
	pthread_mutex_t lock;
	uint64_t version; /* of the files, under lock, as what was seen */
};

#endif
