/* SPDX-License-Identifier: Apache-2.0 */
#include "stack_fixture.h"

struct merged_stack indexes_of(const struct stack *stack)
{
	return (struct merged_stack){stack->layers, stack->count};
}

void stack_release(struct stack *stack)
{
	for (size_t i = 0; i < stack->count; i++)
		layer_index_close(
		    (struct layer_index *)(uintptr_t)stack->layers[i]);
}

/*
 * The entries are separated by spaces: "dir/", "dir/:700" with its mode,
 * "link>target" a hard link, "link@target" a symbolic one, "file".
 */
static void add_word(struct builder *builder, char *word)
{
	char *mark = strpbrk(word, ":>@");
	char kind = mark ? *mark : '\0';
	size_t len;

	if (mark)
		*mark++ = '\0';
	len = strlen(word);
	if (kind == '>')
		add_link(builder, word, mark);
	else if (kind == '@')
		add_symlink(builder, word, mark);
	else if (len > 0 && word[len - 1] == '/')
		add_dir(builder, word,
		    mark ? (uint32_t)strtoul(mark, NULL, 8) : 0755);
	else
		add_file(builder, word, 0);
}

void push_index(struct stack *stack, const struct layer_index *index)
{
	assert_true(stack->count < LAYERS_MAX);
	stack->layers[stack->count++] = index;
}

void push(struct stack *stack, const char *entries)
{
	AUTO_FREE char *text = strdup(entries);
	struct builder *builder = begin();
	char *rest = text, *word;

	while ((word = strsep(&rest, " ")))
		if (*word)
			add_word(builder, word);
	push_index(stack, end(builder));
}
