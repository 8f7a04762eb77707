/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust. The system's CAs are in a file and a directory. libcurl parses the
 * file once and lets all connections share the result, but only while no
 * directory is to be looked into. CAs of our own are added to a connection's
 * store, which then must not be the shared one: they keep the directory. That
 * setting is also what keeps libcurl from giving a request without these CAs a
 * connection that was trusted because of them.
 */
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>

static CURLcode add_ca_files(CURL *easy, void *context, void *arg)
{
	const struct tls *tls = arg;

	(void)easy;
	for (const char *const *file = tls->wanted->ca_files; *file; file++) {
		if (SSL_CTX_load_verify_file(context, *file) == 1)
			continue;
		ERR_clear_error();
		err_set(tls->cause, EPROTO,
		    "cannot read CA certificates from %s", *file);
		return CURLE_SSL_CACERT_BADFILE;
	}
	return CURLE_OK;
}

/* SSL_CERT_FILE stands in for the system's file, as for other programs. A
 * machine without the file still reaches what CAs of our own vouch for. */
static CURLcode apply_system_file(CURL *easy)
{
	const char *file = getenv("SSL_CERT_FILE");

	if (file && *file)
		return curl_easy_setopt(easy, CURLOPT_CAINFO, file);
	file = NULL;
	curl_easy_getinfo(easy, CURLINFO_CAINFO, &file);
	if (file && access(file, R_OK) == 0)
		return CURLE_OK;
	return curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
}

static CURLcode apply_trust(const struct tls *tls, CURL *easy)
{
	const struct http_tls *wanted = tls->wanted;

	if (wanted && wanted->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
		return CURLE_OK;
	}
	if (!wanted || !wanted->ca_files || !wanted->ca_files[0])
		return curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, tls);
	return curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, add_ca_files);
}

static CURLcode apply_identity(const struct tls *tls, CURL *easy)
{
	const struct http_tls *wanted = tls->wanted;
	CURLcode r;

	if (!wanted || !wanted->cert_file || !tls->identify)
		return CURLE_OK;
	r = curl_easy_setopt(easy, CURLOPT_SSLCERT, wanted->cert_file);
	if (r != CURLE_OK || !wanted->key_file)
		return r;
	return curl_easy_setopt(easy, CURLOPT_SSLKEY, wanted->key_file);
}

int tls_apply(const struct tls *tls, CURL *easy, struct err *err)
{
	if (apply_system_file(easy) != CURLE_OK ||
	    apply_trust(tls, easy) != CURLE_OK ||
	    apply_identity(tls, easy) != CURLE_OK)
		return err_nomem(err);
	return 0;
}
