/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's failures in one table. */
#include "failure.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define TLS_FAILED "the TLS handshake failed"

static const struct code_meaning {
	CURLcode curl;
	int code;
	bool detailed; /* libcurl's own text says more */
	const char *words;
} meanings[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, EINVAL, false, "not an http URL"},
    {CURLE_URL_MALFORMAT, EINVAL, false, "not an http URL"},
    {CURLE_COULDNT_RESOLVE_PROXY, EHOSTUNREACH, false,
	"the proxy's name cannot be resolved"},
    {CURLE_COULDNT_RESOLVE_HOST, EHOSTUNREACH, false,
	"the host's name cannot be resolved"},
    {CURLE_COULDNT_CONNECT, EHOSTUNREACH, true, "cannot connect"},
    {CURLE_WEIRD_SERVER_REPLY, EPROTO, false, "the answer is not HTTP"},
    {CURLE_HTTP2, ECONNRESET, false, "the HTTP/2 connection broke"},
    {CURLE_HTTP2_STREAM, ECONNRESET, false, "the HTTP/2 stream broke"},
    {CURLE_PARTIAL_FILE, ECONNRESET, false, "the answer ended early"},
    {CURLE_OUT_OF_MEMORY, ENOMEM, false, "out of memory"},
    {CURLE_OPERATION_TIMEDOUT, ETIMEDOUT, false, "timed out"},
    {CURLE_SSL_CONNECT_ERROR, EPROTO, true, TLS_FAILED},
    {CURLE_SSL_CIPHER, EPROTO, true, TLS_FAILED},
    {CURLE_SSL_CERTPROBLEM, EPROTO, true,
	"the client certificate cannot be used"},
    {CURLE_PEER_FAILED_VERIFICATION, EPROTO, true,
	"the server's certificate is not trusted"},
    {CURLE_SSL_CACERT_BADFILE, EPROTO, true,
	"the CA certificates cannot be read"},
    {CURLE_SSL_ISSUER_ERROR, EPROTO, true,
	"the server's certificate is not trusted"},
    {CURLE_SSL_CLIENTCERT, EACCES, false,
	"the server asks for a client certificate"},
    {CURLE_GOT_NOTHING, ECONNRESET, false,
	"the connection was closed without an answer"},
    {CURLE_SEND_ERROR, ECONNRESET, false, "the connection broke"},
    {CURLE_RECV_ERROR, ECONNRESET, false, "the connection broke"},
    {CURLE_SEND_FAIL_REWIND, EIO, false, "the body cannot be sent again"},
    {CURLE_PROXY, EHOSTUNREACH, true, "the proxy failed"},
};

static struct code_meaning connect_meaning(long os_errno)
{
	struct code_meaning meaning = {.code = EHOSTUNREACH,
	    .words = "no route to the host"};

	if (os_errno == ECONNREFUSED) {
		meaning.code = ECONNREFUSED;
		meaning.words = "connection refused";
	} else if (os_errno == ETIMEDOUT) {
		meaning.code = ETIMEDOUT;
		meaning.words = "the host does not answer";
	}
	return meaning;
}

/*
 * libcurl has one code for many ends; OpenSSL's text tells them apart. A client
 * certificate's refusal comes when the handshake is over for us (TLS 1.3), as
 * an alert in place of the answer.
 */
static CURLcode precise_code(const struct failure *failure)
{
	switch ((int)failure->curl) {
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		if (strstr(failure->detail, "alert certificate required"))
			return CURLE_SSL_CLIENTCERT;
		if (strstr(failure->detail, " alert "))
			return CURLE_SSL_CONNECT_ERROR;
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
		/* So an answer of HTTP/0.9 is called, which anything is. */
		if (failure->asked)
			return CURLE_WEIRD_SERVER_REPLY;
		break;
	default:
		break;
	}
	return failure->curl;
}

/* What a server that talks in plain text looks like to OpenSSL. */
static bool is_no_tls(const struct failure *failure)
{
	return failure->curl == CURLE_SSL_CONNECT_ERROR &&
	       strstr(failure->detail, "wrong version number");
}

static struct code_meaning failure_meaning(const struct failure *failure)
{
	CURLcode curl = precise_code(failure);

	if (curl == CURLE_COULDNT_CONNECT && failure->os_errno)
		return connect_meaning(failure->os_errno);
	if (is_no_tls(failure))
		return (struct code_meaning){.code = EPROTO,
		    .words = "the server does not speak TLS: type http:// "
			     "before the address"};
	/* So libcurl calls what is longer than its buffer for such a line. */
	if (curl == CURLE_OUT_OF_MEMORY && failure->asked)
		return (struct code_meaning){.code = EPROTO,
		    .words = "a line of the answer's header is too long"};
	if (curl == CURLE_OPERATION_TIMEDOUT && !failure->asked)
		return (struct code_meaning){.code = ETIMEDOUT,
		    .words = "timed out while connecting"};
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].curl == curl)
			return meanings[i];
	return (struct code_meaning){.code = EIO,
	    .detailed = true,
	    .words = curl_easy_strerror(curl)};
}

/* libcurl's text without the prefixes that repeat our words. */
static const char *without_prefix(const char *detail)
{
	static const char *const prefixes[] = {"SSL certificate problem: ",
	    "SSL: "};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i]);

		if (strncmp(detail, prefixes[i], len) == 0)
			return detail + len;
	}
	return detail;
}

int failure_err(const struct failure *failure, struct err *err)
{
	struct code_meaning meaning = failure_meaning(failure);
	const char *detail = without_prefix(failure->detail);
	char clean[CURL_ERROR_SIZE];

	if (!meaning.detailed || !*detail)
		return err_set(err, meaning.code, "%s", meaning.words);
	err_clean(clean, sizeof(clean), detail, strlen(detail));
	return err_set(err, meaning.code, "%s: %s", meaning.words, clean);
}
