/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program does beside mounting: registryfs COMMAND [OPTIONS] HOST. One
 * table of commands and options is read, printed and listed.
 */
#ifndef FS_COMMANDS_H
#define FS_COMMANDS_H

#include "base/buf.h"
#include "base/err.h"

struct command;

/* NULL if the word is not a command: it is what is to be mounted. */
const struct command *command_find(const char *word);

/* Runs it: argv[0] is its name. Prints what it comes to, and why it failed. The
 * program's exit status. */
int command_run(const struct command *command, int argc, char **argv);

/* Appends a line of usage for all of them. */
int commands_help(struct buf *out, struct err *err);

/*
 * For programs that complete command lines, a line for each command and each of
 * its options, their fields separated by tabs: the command, the option's word
 * ("--username="; empty for the command itself), what follows it ("USER"), and
 * the help.
 */
int commands_list(struct buf *out, struct err *err);

#endif
