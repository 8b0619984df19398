/* SPDX-License-Identifier: MIT */
/* Sessions of the history: whatever a file holds, what is read of it is in order and harmless. */
#include "app/history_print.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_session(const struct history_session *session)
{
    size_t words = 0;
    for (size_t i = 0; i < session->count; i++) {
        const struct history_item *item = &session->items[i];
        check(item->start >= 0 && item->end >= 0);
        check(i == 0 || session->items[i - 1].start <= item->start);
        check((item->kind == HISTORY_SPEECH) == (item->text != NULL));
        check(item->text == NULL || strpbrk(item->text, "\n\x1B\x07") == NULL);
        for (size_t j = 0; j < item->word_count; j++)
            check(item->words[j].text != NULL);
        words += item->word_count;
    }
    check(words == session->word_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum sink_format formats[] = {SINK_TEXT, SINK_JSON, SINK_JSONL, SINK_SRT,
                                               SINK_VTT};
    struct utter_error error = {UTTER_OK, ""};
    struct history_session session;
    struct history_summary summary;
    FILE *file = size > 0 ? fmemopen((void *)data, size, "r") : NULL;
    if (file == NULL)
        return 0;
    if (history_session_read(&session, file, "session", &error)) {
        check_session(&session);
        for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
            check(history_export(&session, "session", formats[i], CASE_SENTENCE, "/dev/null",
                                 &error));
    } else {
        check(error.message[0] != '\0');
    }
    history_session_free(&session);
    rewind(file);
    if (history_summary_read(&summary, file, "session", &error))
        check(strlen(summary.first) < sizeof summary.first);
    fclose(file);
    return 0;
}
