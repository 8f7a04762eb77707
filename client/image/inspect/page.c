/* SPDX-License-Identifier: Apache-2.0 */
/* HTML, and how the page looks. */
#include "page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "sizes.h"

/*
 * What the page may do is nothing but show itself: even if some text of an
 * image came through as markup it could neither run nor load anything.
 */
static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
    "'none'; style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, "
    "initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<style>\n";

static const char style[] =
    ":root{--paper:#fff;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;"
    "--band:#f6f8fa;--bar:#0969da;--waste:#bc4c00}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;"
    "--soft:#9198a1;--line:#3d444d;--band:#151b23;--bar:#4493f8;"
    "--waste:#db6d28}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:72rem;padding:1.5rem;background:var(--paper);"
    "color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}\n"
    "h2{font-size:1.1rem;margin:2.2rem 0 .6rem}\n"
    "code,.command,.path{font-family:ui-monospace,monospace;font-size:.86em;"
    "overflow-wrap:anywhere}\n"
    ".soft{color:var(--soft)}\n"
    ".cards{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.2rem 0 0;"
    "padding:0;list-style:none}\n"
    ".cards li{flex:1 1 8rem;border:1px solid var(--line);border-radius:6px;"
    "padding:.6rem .8rem}\n"
    ".cards b{display:block;font-size:1.25rem;font-weight:600}\n"
    ".scroll{overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);"
    "text-align:left;vertical-align:top}\n"
    "th{font-weight:600;color:var(--soft);white-space:nowrap}\n"
    "td.n,th.n{width:1%;text-align:right;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}\n"
    "td.command{min-width:18rem;max-width:40rem}\n"
    ".bar{display:block;height:.55rem;min-width:2px;border-radius:2px;"
    "background:var(--bar)}\n"
    "td.bars{min-width:7rem;padding-top:.75rem}\n"
    ".note{border-left:3px solid var(--waste);background:var(--band);"
    "padding:.6rem .8rem;margin:1.2rem 0 0}\n"
    "svg{display:block;width:100%;height:auto}\n"
    "svg rect{fill:#6e7781;stroke:var(--paper);stroke-width:2}\n"
    "svg text{fill:#fff;font:12px ui-monospace,monospace}\n"
    "@media print{body{max-width:none;padding:0;font-size:11px}"
    "tr,li,svg{break-inside:avoid}h2{break-after:avoid}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

void page_markup(struct html_page *page, const char *markup)
{
	if (page->r == 0)
		page->r = buf_addstr(page->out, markup, page->err);
}

void page_markupf(struct html_page *page, const char *fmt, ...)
{
	AUTO_FREE char *markup = NULL;
	va_list list;

	va_start(list, fmt);
	if (vasprintf(&markup, fmt, list) < 0) {
		markup = NULL;
		page->r = err_nomem(page->err);
	}
	va_end(list);
	if (markup)
		page_markup(page, markup);
}

void page_text(struct html_page *page, const char *text)
{
	if (page->r == 0)
		page->r = escape_html(page->out, text, page->err);
}

void page_size(struct html_page *page, uint64_t bytes)
{
	char text[SIZE_TEXT_SIZE];

	size_format(bytes, text);
	page_markup(page, text);
}

void page_size_cell(struct html_page *page, uint64_t bytes)
{
	page_markupf(page, "<td class=\"n\" title=\"%" PRIu64 " bytes\">",
	    bytes == UINT64_MAX ? 0 : bytes);
	page_size(page, bytes);
	page_markup(page, "</td>");
}

void page_number_cell(struct html_page *page, uint64_t number)
{
	page_markupf(page, "<td class=\"n\">%" PRIu64 "</td>", number);
}

void page_section(struct html_page *page, const char *title)
{
	page_markupf(page, "<h2>%s</h2>\n", title);
}

void page_begin(struct html_page *page, const char *title)
{
	page_markup(page, head);
	page_markup(page, style);
	page_markup(page, "</style>\n<title>");
	page_text(page, title);
	page_markup(page, "</title>\n</head>\n<body>\n");
}

void page_end(struct html_page *page)
{
	page_markup(page, "</body>\n</html>\n");
}
