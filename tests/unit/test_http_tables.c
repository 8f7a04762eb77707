/* SPDX-License-Identifier: Apache-2.0 */
/* What statuses and libcurl's failures mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "engine/failure.h"
#include "http/http.h"

static void test_statuses(void **state)
{
	static const struct {
		int status, code;
	} cases[] = {
	    {100, EIO},
	    {200, 0},
	    {201, 0},
	    {202, 0},
	    {204, 0},
	    {206, 0},
	    {299, 0},
	    {301, EIO},
	    {307, EIO},
	    {400, EINVAL},
	    {401, EACCES},
	    {402, EACCES},
	    {403, EACCES},
	    {404, ENOENT},
	    {405, EOPNOTSUPP},
	    {406, EIO},
	    {407, EACCES},
	    {408, ETIMEDOUT},
	    {409, EBUSY},
	    {410, ENOENT},
	    {412, EPERM},
	    {413, EFBIG},
	    {416, EIO},
	    {418, EIO},
	    {422, EINVAL},
	    {423, EBUSY},
	    {429, EBUSY},
	    {451, EACCES},
	    {500, EIO},
	    {501, EOPNOTSUPP},
	    {502, EIO},
	    {503, EIO},
	    {504, ETIMEDOUT},
	    {507, ENOSPC},
	    {599, EIO},
	    {0, EIO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(http_status_errno(cases[i].status),
		    cases[i].code);
}

static void expect(const struct failure *failure, int code, const char *says)
{
	struct err err = ERR_INIT;

	assert_int_equal(failure_err(failure, &err), -code);
	assert_int_equal(err.code, code);
	if (strcmp(err.msg, says) != 0)
		fail_msg("%s", err.msg);
}

static void test_failures(void **state)
{
	static const struct {
		struct failure failure;
		int code;
		const char *says;
	} cases[] = {
	    {{CURLE_URL_MALFORMAT, false, 0, "URL secret"}, EINVAL,
		"not an http URL"},
	    {{CURLE_UNSUPPORTED_PROTOCOL, false, 0, "x"}, EINVAL,
		"not an http URL"},
	    {{CURLE_UNSUPPORTED_PROTOCOL, true, 0, "x"}, EPROTO,
		"the answer is not HTTP"},
	    {{CURLE_WEIRD_SERVER_REPLY, true, 0, ""}, EPROTO,
		"the answer is not HTTP"},
	    {{CURLE_COULDNT_RESOLVE_HOST, false, 0, ""}, EHOSTUNREACH,
		"the host's name cannot be resolved"},
	    {{CURLE_COULDNT_RESOLVE_PROXY, false, 0, ""}, EHOSTUNREACH,
		"the proxy's name cannot be resolved"},
	    {{CURLE_COULDNT_CONNECT, false, ECONNREFUSED, "x"}, ECONNREFUSED,
		"connection refused"},
	    {{CURLE_COULDNT_CONNECT, false, ETIMEDOUT, "x"}, ETIMEDOUT,
		"the host does not answer"},
	    {{CURLE_COULDNT_CONNECT, false, ENETUNREACH, "x"}, EHOSTUNREACH,
		"no route to the host"},
	    {{CURLE_COULDNT_CONNECT, false, 0, "why"}, EHOSTUNREACH,
		"cannot connect: why"},
	    {{CURLE_OPERATION_TIMEDOUT, false, 0, "x"}, ETIMEDOUT,
		"timed out while connecting"},
	    {{CURLE_OPERATION_TIMEDOUT, true, 0, "x"}, ETIMEDOUT, "timed out"},
	    {{CURLE_PARTIAL_FILE, true, 0, "x"}, ECONNRESET,
		"the answer ended early"},
	    {{CURLE_GOT_NOTHING, true, 0, "x"}, ECONNRESET,
		"the connection was closed without an answer"},
	    {{CURLE_SEND_ERROR, true, 0, "x"}, ECONNRESET,
		"the connection broke"},
	    {{CURLE_RECV_ERROR, true, 0, "x"}, ECONNRESET,
		"the connection broke"},
	    {{CURLE_HTTP2, true, 0, "x"}, ECONNRESET,
		"the HTTP/2 connection broke"},
	    {{CURLE_HTTP2_STREAM, true, 0, "x"}, ECONNRESET,
		"the HTTP/2 stream broke"},
	    {{CURLE_OUT_OF_MEMORY, false, 0, ""}, ENOMEM, "out of memory"},
	    {{CURLE_SEND_FAIL_REWIND, true, 0, ""}, EIO,
		"the body cannot be sent again"},
	    {{CURLE_PROXY, false, 0, "why"}, EHOSTUNREACH,
		"the proxy failed: why"},
	    {{CURLE_RECV_ERROR, true, 0, "tlsv13 alert certificate required"},
		EACCES, "the server asks for a client certificate"},
	    {{CURLE_SSL_CLIENTCERT, false, 0, "x"}, EACCES,
		"the server asks for a client certificate"},
	    {{CURLE_TOO_MANY_REDIRECTS, false, 0, ""}, EIO,
		"Number of redirects hit maximum amount"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(&cases[i].failure, cases[i].code, cases[i].says);
}

static void test_tls_failures(void **state)
{
	static const struct {
		struct failure failure;
		const char *says;
	} cases[] = {
	    {{CURLE_SSL_CONNECT_ERROR, false, 0,
		 "error:0A00010B:SSL routines::wrong version number"},
		"the server does not speak TLS: type http:// before the "
		"address"},
	    {{CURLE_SSL_CONNECT_ERROR, false, 0, "alert\nhandshake"},
		"the TLS handshake failed: alert?handshake"},
	    {{CURLE_RECV_ERROR, true, 0, "tlsv1 alert unknown ca"},
		"the TLS handshake failed: tlsv1 alert unknown ca"},
	    {{CURLE_SSL_CIPHER, false, 0, ""}, "the TLS handshake failed"},
	    {{CURLE_PEER_FAILED_VERIFICATION, false, 0,
		 "SSL certificate problem: self-signed certificate"},
		"the server's certificate is not trusted: "
		"self-signed certificate"},
	    {{CURLE_PEER_FAILED_VERIFICATION, false, 0, "SSL: no name"},
		"the server's certificate is not trusted: no name"},
	    {{CURLE_SSL_ISSUER_ERROR, false, 0, ""},
		"the server's certificate is not trusted"},
	    {{CURLE_SSL_CACERT_BADFILE, false, 0, "x"},
		"the CA certificates cannot be read: x"},
	    {{CURLE_SSL_CERTPROBLEM, false, 0, "x"},
		"the client certificate cannot be used: x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(&cases[i].failure, EPROTO, cases[i].says);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_statuses),
	    cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_tls_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
