/* SPDX-License-Identifier: MIT */
#include "ctc/labels.h"

#include "base/error.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Owned copy without control characters; NULL when out of memory. */
static char *clean_copy(const char *text)
{
    char *copy = malloc(3 * strlen(text) + 1);
    if (copy)
        utf8_clean(text, copy);
    return copy;
}

static enum utter_code spell_label(struct ctc_labels *labels, const struct ctc_spelling *spelling,
                                   int id, struct utter_error *error)
{
    struct ctc_label *label = &labels->label[id];
    const char *token = spelling->tokens[id];
    const char *between = spelling->replace_delimiter;
    label->group = spelling->group[id];
    if (label->group == spelling->blank)
        token = "";
    else if (label->group == spelling->delimiter)
        token = between;
    if (strlen(token) > CTC_TOKEN_BYTES_MAX)
        return error_set(error, UTTER_ERROR_FORMAT,
                         "the vocabulary's token %d is longer than %d bytes", id,
                         CTC_TOKEN_BYTES_MAX);
    label->space = token == between || (*token && !strcmp(token, between));
    label->text = clean_copy(token);
    if (!label->text)
        return error_memory(error, "the vocabulary");
    label->length = strlen(label->text);
    if (label->length > labels->longest)
        labels->longest = label->length;
    return UTTER_OK;
}

enum utter_code ctc_labels_open(struct ctc_labels *labels, const struct ctc_spelling *spelling,
                                struct utter_error *error)
{
    enum utter_code code;
    *labels = (struct ctc_labels){
        .size = spelling->size,
        .blank = spelling->blank,
        .longest = 1,
        .do_lower_case = spelling->do_lower_case,
        .clean_up_tokenization_spaces = spelling->clean_up_tokenization_spaces,
    };
    if (spelling->size < 1 || spelling->blank < 0 || spelling->blank >= spelling->size ||
        spelling->delimiter >= spelling->size)
        return error_set(error, UTTER_ERROR_FORMAT,
                         "the vocabulary of %d tokens has no blank %d or delimiter %d",
                         spelling->size, spelling->blank, spelling->delimiter);
    labels->label = calloc((size_t)spelling->size, sizeof *labels->label);
    labels->space = clean_copy(*spelling->replace_delimiter ? spelling->replace_delimiter : " ");
    if (!labels->label || !labels->space) {
        code = error_memory(error, "the vocabulary");
        goto fail;
    }
    for (int i = 0; i < spelling->size; i++) {
        code = spell_label(labels, spelling, i, error);
        if (code)
            goto fail;
    }
    return UTTER_OK;
fail:
    ctc_labels_close(labels);
    return code;
}

void ctc_labels_close(struct ctc_labels *labels)
{
    for (int i = 0; labels->label && i < labels->size; i++)
        free((char *)labels->label[i].text);
    free(labels->label);
    free(labels->space);
    *labels = (struct ctc_labels){0};
}
