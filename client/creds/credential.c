/* SPDX-License-Identifier: Apache-2.0 */
/* One credential. */
#include <string.h>

#include "base/base64.h"
#include "base/strf.h"
#include "creds/creds.h"
#include "creds/secret.h"

void credential_release(struct credential *credential)
{
	secret_free(credential->username);
	secret_free(credential->password);
	secret_free(credential->identity_token);
	secret_free(credential->registry_token);
	*credential = (struct credential){0};
}

char *credential_basic(const struct credential *credential)
{
	AUTO_SECRET char *pair =
	    strf("%s:%s", credential->username ? credential->username : "",
		credential->password ? credential->password : "");

	return pair ? base64_encode("Basic ", pair, strlen(pair)) : NULL;
}
