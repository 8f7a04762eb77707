/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands. */
#include "commands.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "words.h"

enum { PAGE_MAX = 16 << 10, OPTIONS_MAX = 8 };

/* One of struct command_words: a string where it has an argument, else a bit.
 */
struct command_option {
	const char *name;
	char letter; /* or 0 */
	const char *argument;
	const char *help;
	size_t offset;
};

struct command {
	const char *name;
	const char *help;
	const char *more; /* of the page of --help */
	const char *operand;
	/* The operand is a registry's host; else it may be left out. */
	bool needs_host;
	int (*run)(const struct command_words *words, struct err *err);
	struct command_option options[OPTIONS_MAX]; /* no name ends them */
};

/* clang-format off */
#define AUTHFILE \
	{.name = "authfile", .argument = "FILE", \
	    .help = "the file to use, in place of the usual ones", \
	    .offset = offsetof(struct command_words, authfile)}
#define HELP \
	{.name = "help", .letter = 'h', .help = "print this", \
	    .offset = offsetof(struct command_words, help)}
/* clang-format on */

static const struct command table[] = {
    {.name = "login",
	.help = "store a user and password for a registry",
	.more = "The registry is asked whether it takes them. docker, podman "
		"and skopeo find them,\nand mounts that are there.\n",
	.operand = "HOST[:PORT]",
	.needs_host = true,
	.run = login_run,
	.options = {{.name = "username",
			.letter = 'u',
			.argument = "USER",
			.help = "do not ask for it",
			.offset = offsetof(struct command_words, username)},
	    {.name = "password-stdin",
		.help = "read the password from standard input",
		.offset = offsetof(struct command_words, password_stdin)},
	    AUTHFILE,
	    {.name = "insecure",
		.help = "accept plain HTTP and unverified certificates",
		.offset = offsetof(struct command_words, insecure)},
	    HELP}},
    {.name = "logout",
	.help = "remove what is stored for a registry",
	.more = "Also what docker, podman and skopeo have stored.\n",
	.operand = "HOST[:PORT]",
	.needs_host = true,
	.run = logout_run,
	.options = {AUTHFILE, HELP}},
    {.name = "status",
	.help = "show what mounts do now",
	.more = "Of one mount, or of all that are yours: pushes, the cache, "
		"the network, and how many\nrequests a registry still "
		"allows.\n",
	.operand = "[MOUNTPOINT]",
	.run = status_run,
	.options = {{.name = "watch",
			.letter = 'w',
			.help = "show it again each second, with rates",
			.offset = offsetof(struct command_words, watch)},
	    HELP}},
};

enum { COMMANDS = sizeof(table) / sizeof(table[0]) };

const struct command *command_find(const char *word)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(table[i].name, word) == 0)
			return &table[i];
	}
	return NULL;
}

/* --- the command line --- */

/* What getopt_long() is told: long options give their index, short ones their
 * letter. */
enum { LONG_FIRST = 256 };

static void fill_tables(const struct command *command,
    struct option longs[OPTIONS_MAX + 1], char shorts[2 * OPTIONS_MAX + 2])
{
	*shorts++ = ':';
	for (int i = 0; command->options[i].name; i++) {
		const struct command_option *option = &command->options[i];

		*longs++ = (struct option){option->name,
		    option->argument ? required_argument : no_argument, NULL,
		    LONG_FIRST + i};
		if (option->letter)
			*shorts++ = option->letter;
		if (option->letter && option->argument)
			*shorts++ = ':';
	}
	*longs = (struct option){NULL, 0, NULL, 0};
	*shorts = '\0';
}

static const struct command_option *find_option(const struct command *command,
    int flag)
{
	for (int i = 0; command->options[i].name; i++) {
		if (flag == LONG_FIRST + i ||
		    flag == command->options[i].letter)
			return &command->options[i];
	}
	return NULL;
}

/* The word that getopt_long() has just read: a letter, or a whole one. */
static void last_word(char **argv, char out[64])
{
	if (optopt > 0 && optopt < LONG_FIRST)
		snprintf(out, 64, "-%c", optopt);
	else
		snprintf(out, 64, "%s", argv[optind - 1]);
}

/* getopt_long() takes --password for the beginning of --password-stdin. */
static bool is_password(const char *word)
{
	static const char name[] = "--password";
	size_t len = sizeof(name) - 1;

	return strcmp(word, "-p") == 0 ||
	       (strncmp(word, name, len) == 0 && word[len] != '-');
}

static int refuse_word(const struct command *command, const char *word,
    int flag, struct err *err)
{
	/* Others see a command's arguments. */
	if (is_password(word))
		return err_set(err, EINVAL,
		    "a password is no argument, which others can see: use "
		    "--password-stdin, or wait to be asked");
	if (flag == ':')
		return err_set(err, EINVAL, "the option %s needs a value",
		    word);
	return err_set(err, EINVAL,
	    "unknown option %s; see registryfs %s --help", word, command->name);
}

static int read_options(const struct command *command, int argc, char **argv,
    struct command_words *words, struct err *err)
{
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 2];
	char word[64];
	int flag;

	fill_tables(command, longs, shorts);
	opterr = 0;
	while ((optopt = 0,
		   flag = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct command_option *option =
		    find_option(command, flag);
		char *at = (char *)words;

		last_word(argv, word);
		if (!option || (!option->argument && is_password(word)))
			return refuse_word(command, word, flag, err);
		at += option->offset;
		if (option->argument)
			*(const char **)(void *)at = optarg;
		else
			*(bool *)(void *)at = true;
	}
	return 0;
}

static char *skip(char *text, const char *begin)
{
	size_t len = strlen(begin);

	return strncmp(text, begin, len) == 0 ? text + len : text;
}

static void cut(char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	if (len > end_len && strcmp(text + len - end_len, end) == 0)
		text[len - end_len] = '\0';
}

/* What is pasted names a registry's API, or how tools call a registry:
 * https://HOST/v2/, docker://HOST. */
static const char *pasted_host(char *text)
{
	text = skip(skip(text, "docker://"), "oci://");
	cut(text, "/");
	cut(text, "/v2");
	cut(text, "/v1");
	return text;
}

static int read_words(const struct command *command, int argc, char **argv,
    struct command_words *words, struct err *err)
{
	int r = read_options(command, argc, argv, words, err);

	if (r < 0 || words->help)
		return r;
	if (command->needs_host && argc - optind != 1)
		return err_set(err, EINVAL,
		    "%s needs the host of one registry, which is docker.io for "
		    "Docker Hub",
		    command->name);
	if (argc - optind > 1)
		return err_set(err, EINVAL, "%s takes one %s", command->name,
		    command->operand);
	words->operand = argv[optind];
	if (command->needs_host)
		words->operand = pasted_host(argv[optind]);
	return 0;
}

/* --- what is printed --- */

/* "--username=USER" in a column of its own. */
static int print_option(const struct command_option *option, struct buf *out,
    struct err *err)
{
	enum { COLUMN = 25 };
	size_t before = out->len;
	int r = option->letter ? buf_addf(out, err, "  -%c, --%s",
				     option->letter, option->name)
			       : buf_addf(out, err, "      --%s", option->name);

	if (r == 0 && option->argument)
		r = buf_addf(out, err, "=%s", option->argument);
	if (r == 0)
		r = buf_addf(out, err, "%*s%s\n",
		    (int)(COLUMN - (out->len - before)), "", option->help);
	return r;
}

static int print_page(const struct command *command, struct err *err)
{
	AUTO_BUF struct buf page = BUF_INIT(PAGE_MAX);
	int r = buf_addf(&page, err,
	    "usage: registryfs %s [OPTIONS] %s\n"
	    "registryfs %s: %s.\n%s\n",
	    command->name, command->operand, command->name, command->help,
	    command->more);

	for (size_t i = 0; r == 0 && command->options[i].name; i++)
		r = print_option(&command->options[i], &page, err);
	if (r == 0)
		fputs(buf_str(&page), stdout);
	return r;
}

int command_run(const struct command *command, int argc, char **argv)
{
	struct command_words words = {.operand = NULL};
	struct err err = ERR_INIT;
	int r = read_words(command, argc, argv, &words, &err);

	if (r == 0)
		r = words.help ? print_page(command, &err)
			       : command->run(&words, &err);
	if (r == 0)
		return fflush(stdout) != 0;
	fprintf(stderr, "registryfs: %s\n", err.msg);
	return 1;
}

int commands_help(struct buf *out, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < COMMANDS; i++)
		r = buf_addf(out, err, "       registryfs %s [OPTIONS] %s\n",
		    table[i].name, table[i].operand);
	return r;
}

int commands_list(struct buf *out, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < COMMANDS; i++) {
		const struct command *command = &table[i];

		r = buf_addf(out, err, "%s\t\t\t%s\n", command->name,
		    command->help);
		for (size_t n = 0; r == 0 && command->options[n].name; n++) {
			const struct command_option *o = &command->options[n];

			r = buf_addf(out, err, "%s\t--%s%s\t%s\t%s\n",
			    command->name, o->name, o->argument ? "=" : "",
			    o->argument ? o->argument : "", o->help);
		}
	}
	return r;
}
