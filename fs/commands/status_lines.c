/* SPDX-License-Identifier: Apache-2.0 */
/* The status of a mount, for people. */
#include "status_lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/parse.h"

enum { TEXT_SIZE = 32, BAR_CELLS = 20, LINE_MAX_BYTES = 4096 };

struct lines {
	const struct status_style *style;
	double seconds; /* since the sample before; 0: this is the first */
	struct buf *out;
	struct err *err;
	int r; /* 0, or -errno: nothing more is appended */
};

static const json_t *member(const json_t *object, const char *name)
{
	return json_object_get(object, name);
}

static double number(const json_t *object, const char *name)
{
	return json_number_value(member(object, name));
}

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(member(object, name));

	return value ? value : "";
}

/* "0 B", "27.1 MB". */
static const char *size(double bytes, char out[TEXT_SIZE])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	size_t unit = 0;

	for (; bytes >= 999.5 && unit < 5; bytes /= 1000)
		unit++;
	snprintf(out, TEXT_SIZE, "%.3g %s", bytes, units[unit]);
	return out;
}

/* "12 s", "2 h 3 min". */
static const char *span(double seconds, char out[TEXT_SIZE])
{
	unsigned long s = seconds > 0 ? (unsigned long)seconds : 0;

	if (s < 60)
		snprintf(out, TEXT_SIZE, "%lu s", s);
	else if (s < 3600)
		snprintf(out, TEXT_SIZE, "%lu min %lu s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, TEXT_SIZE, "%lu h %lu min", s / 3600,
		    s / 60 % 60);
	else
		snprintf(out, TEXT_SIZE, "%lu d %lu h", s / 86400,
		    s / 3600 % 24);
	return out;
}

/* What the mount says may have any byte in it: names are strangers'. */
static void line(struct lines *lines, const struct buf *words)
{
	AUTO_BUF struct buf shown = BUF_INIT(4 * LINE_MAX_BYTES);
	size_t len;

	if (lines->r < 0)
		return;
	lines->r = escape_visible(&shown, buf_str(words), lines->err);
	len = shown.len;
	if (lines->style->width && len > lines->style->width)
		len = lines->style->width;
	/* Not in the middle of a character. */
	while (len < shown.len && len > 0 &&
	       ((unsigned char)shown.data[len] & 0xc0) == 0x80)
		len--;
	if (lines->r == 0)
		lines->r =
		    buf_add(lines->out, buf_str(&shown), len, lines->err);
	if (lines->r == 0)
		lines->r = buf_addstr(lines->out, "\n", lines->err);
}

__attribute__((format(printf, 2, 3))) static void linef(struct lines *lines,
    const char *fmt, ...)
{
	AUTO_BUF struct buf words = BUF_INIT(LINE_MAX_BYTES);
	char all[LINE_MAX_BYTES];
	va_list list;

	va_start(list, fmt);
	vsnprintf(all, sizeof(all), fmt, list);
	va_end(list);
	if (lines->r == 0)
		lines->r = buf_addstr(&words, all, lines->err);
	line(lines, &words);
}

/* ", 1.2 MB/s", or nothing where that is not known. */
static const char *rate(const struct lines *lines, double now, double before,
    char out[TEXT_SIZE + 8])
{
	char bytes[TEXT_SIZE];

	*out = '\0';
	if (lines->seconds > 0 && now >= before)
		snprintf(out, TEXT_SIZE + 8, ", %s/s",
		    size((now - before) / lines->seconds, bytes));
	return out;
}

static void print_head(struct lines *lines, const json_t *status)
{
	const json_t *sources = member(status, "sources");
	char names[1024] = "", uptime[TEXT_SIZE];
	size_t at = 0;

	for (size_t i = 0; i < json_array_size(sources) && i < 4; i++)
		at +=
		    (size_t)snprintf(names + at, sizeof(names) - at, "%s%.200s",
			i ? " " : "", text(json_array_get(sources, i), "name"));
	if (json_array_size(sources) > 4)
		snprintf(names + at, sizeof(names) - at, " and %zu others",
		    json_array_size(sources) - 4);
	linef(lines, "%s: %s%s, for %s, pid %.0f", text(status, "mountpoint"),
	    *names ? names : "no registry yet",
	    json_is_true(member(status, "read_only")) ? ", read-only" : "",
	    span(number(status, "uptime_seconds"), uptime),
	    number(status, "pid"));
}

static void print_cache(struct lines *lines, const json_t *cache)
{
	char held[TEXT_SIZE], limit[TEXT_SIZE];

	if (!cache)
		return;
	linef(lines, "  cache    %s of %s in %s",
	    size(number(cache, "held_bytes"), held),
	    size(number(cache, "limit_bytes"), limit),
	    text(cache, "directory"));
	if (number(cache, "mismatches") > 0)
		linef(lines,
		    "  cache    %.0f times bytes were not those of their "
		    "digest; the log says which",
		    number(cache, "mismatches"));
}

static void print_network(struct lines *lines, const json_t *network,
    const json_t *before)
{
	char received[TEXT_SIZE], sent[TEXT_SIZE];
	char in[TEXT_SIZE + 8], out[TEXT_SIZE + 8];
	double now_in = number(network, "received_bytes");
	double now_out = number(network, "sent_bytes");

	if (network)
		linef(lines,
		    "  network  %.0f requests; %s received%s; "
		    "%s sent%s",
		    number(network, "requests"), size(now_in, received),
		    rate(lines, now_in, number(before, "received_bytes"), in),
		    size(now_out, sent),
		    rate(lines, now_out, number(before, "sent_bytes"), out));
}

static void print_limit(struct lines *lines, const json_t *source)
{
	const json_t *limit = member(source, "rate_limit");
	char window[TEXT_SIZE];

	if (json_is_number(member(limit, "remaining")))
		linef(lines, "  limit    %s: %.0f of %.0f requests left in %s",
		    text(source, "name"), number(limit, "remaining"),
		    number(limit, "limit"),
		    span(number(limit, "window_seconds"), window));
	if (json_is_string(member(limit, "refused")))
		linef(lines, "  limit    %s: refused at %s",
		    text(source, "name"), text(limit, "refused"));
}

/* As much of it as is done, on a terminal. */
static void draw_bar(const struct lines *lines, double done, double all,
    char out[BAR_CELLS + 4])
{
	int cells = all > 0 ? (int)(BAR_CELLS * done / all) : 0;

	*out = '\0';
	if (!lines->style->bars || all <= 0)
		return;
	if (cells > BAR_CELLS)
		cells = BAR_CELLS;
	*out++ = '[';
	for (int i = 0; i < BAR_CELLS; i++)
		*out++ = i < cells ? '#' : ' ';
	memcpy(out, "] ", sizeof("] "));
}

/* The same push a sample before, or NULL. */
static const json_t *push_before(const json_t *pushes, const json_t *push)
{
	for (size_t i = 0; i < json_array_size(pushes); i++) {
		const json_t *other = json_array_get(pushes, i);

		if (!strcmp(text(other, "repository"),
			text(push, "repository")) &&
		    !strcmp(text(other, "tag"), text(push, "tag")) &&
		    !strcmp(text(other, "registry"), text(push, "registry")))
			return other;
	}
	return NULL;
}

static double age(const json_t *push)
{
	const char *began = text(push, "began");
	int64_t seconds;
	uint32_t nanos;

	return parse_rfc3339(&began, &seconds, &nanos)
		   ? difftime(time(NULL), (time_t)seconds)
		   : 0;
}

static void print_push(struct lines *lines, const json_t *push,
    const json_t *before)
{
	char received[TEXT_SIZE], sent[TEXT_SIZE], since[TEXT_SIZE];
	char out[TEXT_SIZE + 8], bar[BAR_CELLS + 4];
	double layers = number(push, "layers");
	double now = number(push, "sent_bytes");

	draw_bar(lines, number(push, "layers_done"), layers, bar);
	linef(lines,
	    "  push     %s%s/%s:%s %s, %.0f of %.0f layers; %s read, %s "
	    "sent%s; %s",
	    bar, text(push, "registry"), text(push, "repository"),
	    text(push, "tag"), text(push, "state"), number(push, "layers_done"),
	    layers, size(number(push, "received_bytes"), received),
	    size(now, sent),
	    before ? rate(lines, now, number(before, "sent_bytes"), out) : "",
	    span(age(push), since));
}

int status_lines(const json_t *status, const json_t *before, double seconds,
    const struct status_style *style, struct buf *out, struct err *err)
{
	struct lines lines = {style, before ? seconds : 0, out, err, 0};
	const json_t *sources = member(status, "sources");
	const json_t *pushes = member(status, "pushes");

	print_head(&lines, status);
	print_cache(&lines, member(status, "cache"));
	print_network(&lines, member(status, "network"),
	    member(before, "network"));
	for (size_t i = 0; i < json_array_size(sources); i++)
		print_limit(&lines, json_array_get(sources, i));
	for (size_t i = 0; i < json_array_size(pushes); i++)
		print_push(&lines, json_array_get(pushes, i),
		    push_before(member(before, "pushes"),
			json_array_get(pushes, i)));
	if (number(status, "pushes_done") + number(status, "pushes_failed") > 0)
		linef(&lines, "  pushes   %.0f done, %.0f failed",
		    number(status, "pushes_done"),
		    number(status, "pushes_failed"));
	return lines.r;
}
