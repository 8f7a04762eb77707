/* SPDX-License-Identifier: Apache-2.0 */
/* An HTML page that is written. Once something has failed nothing more is
 * written, and r says what (as buf_add()). */
#ifndef CLIENT_IMAGE_INSPECT_PAGE_H
#define CLIENT_IMAGE_INSPECT_PAGE_H

#include <stdint.h>

#include "base/buf.h"

struct html_page {
	struct buf *out;
	struct err *err;
	int r; /* 0, or -errno */
};

/* Markup: of this program alone, never what an image says. */
void page_markup(struct html_page *page, const char *markup);
void page_markupf(struct html_page *page, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Text of any kind, as it is to be read. */
void page_text(struct html_page *page, const char *text);

/* A size for people; a table's cell with one, or with a number. */
void page_size(struct html_page *page, uint64_t bytes);
void page_size_cell(struct html_page *page, uint64_t bytes);
void page_number_cell(struct html_page *page, uint64_t number);

/* A heading with a table that follows, or a section without one. */
void page_section(struct html_page *page, const char *title);

/* The beginning of a page with a title (any text), and its end. */
void page_begin(struct html_page *page, const char *title);
void page_end(struct html_page *page);

#endif
