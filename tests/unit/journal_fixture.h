/* SPDX-License-Identifier: Apache-2.0 */
/* What a journal says, without the times. */
#ifndef TESTS_JOURNAL_FIXTURE_H
#define TESTS_JOURNAL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/journal.h"

enum { JOURNAL_TEXT = 1 << 16 };

/* All that is in the file, each line behind its time. */
const char *journal_text(struct journal_file *file);

void assert_journal(struct journal *journal, const char *text);

#endif
