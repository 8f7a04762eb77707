/* SPDX-License-Identifier: Apache-2.0 */
/* Spellings of a host. */
#include "base/host_name.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The part before the port: what is in brackets has colons of its own. */
static size_t name_len(const char *host)
{
	return *host == '[' ? strcspn(host, "]") + (strchr(host, ']') != NULL)
			    : strcspn(host, ":");
}

/* "[::1]"; false: no address. */
static bool write_v6(const char *name, size_t len, char out[HOST_NAME_SIZE])
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (*name != '[' || len < 2 || len - 2 >= sizeof(text))
		return false;
	memcpy(text, name + 1, len - 2);
	text[len - 2] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1)
		return false;
	inet_ntop(AF_INET6, &address, text, sizeof(text));
	snprintf(out, HOST_NAME_SIZE, "[%s]", text);
	return true;
}

/* "127.1" is an address with less than four numbers (inet_aton(3)). One of one
 * number is a name. */
static void write_v4(char name[HOST_NAME_SIZE])
{
	struct in_addr address;

	if (strchr(name, '.') && strspn(name, "0123456789.") == strlen(name) &&
	    inet_aton(name, &address))
		inet_ntop(AF_INET, &address, name, HOST_NAME_SIZE);
}

static void write_name(const char *name, size_t len, char out[HOST_NAME_SIZE])
{
	for (size_t i = 0; i < len; i++)
		out[i] = (char)tolower((unsigned char)name[i]);
	if (len > 1 && out[len - 1] == '.')
		len--;
	out[len] = '\0';
	write_v4(out);
}

void host_name_canonical(const char *host, char out[HOST_NAME_SIZE])
{
	size_t len = name_len(host);
	const char *port = host + len, *colon = "";

	if (strlen(host) >= HOST_NAME_SIZE / 2) {
		snprintf(out, HOST_NAME_SIZE, "%s", host);
		return;
	}
	if (!write_v6(host, len, out))
		write_name(host, len, out);
	if (*port == ':')
		for (colon = ":", port++; *port == '0' && port[1];)
			port++;
	len = strlen(out);
	snprintf(out + len, HOST_NAME_SIZE - len, "%s%s", colon, port);
}
