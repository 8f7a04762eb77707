/* SPDX-License-Identifier: Apache-2.0 */
/* Questions on the terminal. */
#ifndef FS_COMMANDS_PROMPT_H
#define FS_COMMANDS_PROMPT_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Asks on the terminal that the program was started from, whatever its standard
 * input is, and reads a line, without an echo if it is a secret. *out is a new
 * string for secret_free(), without the line's end. -ENOTTY where there is no
 * terminal, -EINVAL for a line that has no end. A signal that ends the program
 * finds the terminal as it was.
 */
int prompt_ask(const char *question, bool secret, char **out, struct err *err);

#endif
