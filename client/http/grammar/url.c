/* SPDX-License-Identifier: Apache-2.0 */
/* Url arithmetic, on libcurl's parser: what we compare is what it will do. */
#include "url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "http/grammar.h"

static void cleanup_url(CURLU **url)
{
	curl_url_cleanup(*url);
}

static void cleanup_part(char **part)
{
	curl_free(*part);
}

#define AUTO_URL CLEANUP(cleanup_url)
#define AUTO_PART CLEANUP(cleanup_part)

static bool has_http_scheme(CURLU *url)
{
	AUTO_PART char *scheme = NULL;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return false;
	return strcasecmp(scheme, "http") == 0 ||
	       strcasecmp(scheme, "https") == 0;
}

static CURLU *url_parse(const char *text)
{
	AUTO_URL CURLU *url = curl_url();

	if (!url || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
		return NULL;
	return steal(&url);
}

/* The whole url as a string of malloc()'s. */
static char *url_text(CURLU *url)
{
	AUTO_PART char *text = NULL;

	if (curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
		return NULL;
	return strdup(text);
}

char *url_shown(const char *text, struct err *err)
{
	static const CURLUPart hidden[] = {CURLUPART_USER, CURLUPART_PASSWORD,
	    CURLUPART_OPTIONS, CURLUPART_QUERY, CURLUPART_FRAGMENT};
	AUTO_URL CURLU *url = url_parse(text);
	char *shown;

	if (!url || !has_http_scheme(url)) {
		err_set(err, EINVAL, "not an http URL");
		return NULL;
	}
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		curl_url_set(url, hidden[i], NULL, 0);
	shown = url_text(url);
	if (!shown)
		err_nomem(err);
	return shown;
}

char *http_url_resolve(const char *base, const char *reference, struct err *err)
{
	AUTO_FREE char *shown = url_shown(base, err);
	AUTO_URL CURLU *url = url_parse(base);
	char *text;

	if (!shown)
		return NULL;
	/* Servers send spaces and bytes past ASCII as they are. */
	if (curl_url_set(url, CURLUPART_URL, reference, CURLU_URLENCODE) !=
		CURLUE_OK ||
	    !has_http_scheme(url)) {
		err_set(err, EINVAL, "%s refers to a URL that is not http",
		    shown);
		return NULL;
	}
	/* Fragments are for those who read the answer, not for servers. */
	curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	text = url_text(url);
	if (!text)
		err_nomem(err);
	return text;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	AUTO_PART char *in_a = NULL;
	AUTO_PART char *in_b = NULL;

	return curl_url_get(a, part, &in_a, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	       curl_url_get(b, part, &in_b, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	       strcasecmp(in_a, in_b) == 0;
}

bool http_same_origin(const char *a, const char *b)
{
	AUTO_URL CURLU *url_a = url_parse(a);
	AUTO_URL CURLU *url_b = url_parse(b);

	return url_a && url_b && same_part(url_a, url_b, CURLUPART_SCHEME) &&
	       same_part(url_a, url_b, CURLUPART_HOST) &&
	       same_part(url_a, url_b, CURLUPART_PORT);
}

bool url_is_loopback(const char *text)
{
	AUTO_URL CURLU *url = url_parse(text);
	AUTO_PART char *host = NULL;
	struct in_addr address;

	if (!url || curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return false;
	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 &&
	       ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool http_url_is_plain(const char *url)
{
	return strncasecmp(url, "http:", 5) == 0;
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

char *http_url_escape(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = malloc(3 * strlen(text) + 1);
	char *p = out;

	if (!out)
		return NULL;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (is_unreserved(*text)) {
			*p++ = *text;
			continue;
		}
		*p++ = '%';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	*p = '\0';
	return out;
}
