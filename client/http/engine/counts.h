/* SPDX-License-Identifier: Apache-2.0 */
/* What went over the wire; whoever sees it adds it. */
#ifndef CLIENT_HTTP_COUNTS_H
#define CLIENT_HTTP_COUNTS_H

#include <stdatomic.h>

struct counts {
	atomic_uint_fast64_t requests;
	atomic_uint_fast64_t received; /* bytes of bodies */
	atomic_uint_fast64_t sent;
};

#endif
