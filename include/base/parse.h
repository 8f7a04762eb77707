/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small parsers over NUL-terminated text. Each takes a cursor; on success it
 * returns true with the cursor after what it read, else false with the cursor
 * where it was. Chain them with && and ||.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exactly this text. */
bool parse_literal(const char **cursor, const char *text);

/* The same, ASCII letters in either case. */
bool parse_literal_nocase(const char **cursor, const char *text);

/* Decimal digits, a value of at most max. */
bool parse_u64(const char **cursor, uint64_t max, uint64_t *out);

/* One or more characters of RFC 9110's `token`; *out is not terminated. */
bool parse_token(const char **cursor, const char **out, size_t *len);

/*
 * A quoted-string of RFC 9110, unescaped into out (size bytes, terminated).
 * False also when it does not fit.
 */
bool parse_quoted(const char **cursor, char *out, size_t size);

/* Skips spaces and tabs; true always. */
bool parse_space(const char **cursor);

/* len bytes of lower-case hexadecimal, 2 * len characters. */
bool parse_hex(const char **cursor, uint8_t *out, size_t len);

/* RFC 3339 date and time as seconds since 1970 and nanoseconds. */
bool parse_rfc3339(const char **cursor, int64_t *seconds, uint32_t *nanos);

#endif
