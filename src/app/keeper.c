/* SPDX-License-Identifier: MIT */
#include "app/keeper.h"

#include "app/fault.h"

#include <math.h>
#include <stdlib.h>

bool keeper_open(struct keeper *keeper, const struct option_values *values,
                 const struct history_about *about, struct utter_error *error)
{
    struct utter_error failure;
    *keeper = (struct keeper){.record = option_values_number(values, OPTION_RECORD)};
    if (!history_prune(option_values_number(values, OPTION_HISTORY_DAYS), &failure))
        fault_print("an old session is not deleted: %s", failure.message);
    if (!option_values_number(values, OPTION_HISTORY)) {
        keeper->record = false;
        return true;
    }
    keeper->history = history_writer_open(about);
    return keeper->history != NULL || fault_memory(error);
}

bool keeper_event(struct keeper *keeper, const struct utter_event *event, int speaker,
                  struct utter_error *error)
{
    return keeper->history == NULL || history_writer_event(keeper->history, event, speaker, error);
}

bool keeper_pause(struct keeper *keeper, struct utter_error *error)
{
    return keeper->history == NULL || history_writer_pause(keeper->history, error);
}

bool keeper_check(struct keeper *keeper, struct utter_error *error)
{
    bool ok = keeper->history == NULL || history_writer_flush(keeper->history, error);
    for (int i = 0; ok && i < keeper->recorder_count; i++)
        ok = recorder_check(keeper->recorders[i], error);
    return ok;
}

bool keeper_settled(const struct keeper *keeper)
{
    return keeper->history == NULL || history_writer_settled(keeper->history);
}

struct recorder *keeper_record(struct keeper *keeper, int sample_rate, int channels,
                               struct utter_error *error)
{
    struct recorder *recorder = NULL;
    *error = (struct utter_error){UTTER_OK, ""};
    if (!keeper->record)
        return NULL;
    if (keeper->recorder_count == HISTORY_RECORDINGS) {
        fault_set(error, UTTER_ERROR_SYSTEM, "the recording ends: the input has changed too often");
        return NULL;
    }
    char *path = history_writer_recording(keeper->history, keeper->recorder_count + 1, error);
    if (path != NULL)
        recorder = recorder_open(path, sample_rate, channels, error);
    free(path);
    if (recorder != NULL)
        keeper->recorders[keeper->recorder_count++] = recorder;
    return recorder;
}

void keeper_recorded(struct keeper *keeper, const struct recorder *recorder, int speaker,
                     double start)
{
    for (int i = 0; i < keeper->recorder_count; i++)
        if (keeper->recorders[i] == recorder) /* what a disk refuses, keeper_check() tries again */
            history_writer_recorded(keeper->history, i + 1, speaker, fmax(start, 0.0), NULL);
}

const char *keeper_name(const struct keeper *keeper)
{
    if (keeper->history == NULL || !history_writer_has_words(keeper->history))
        return NULL;
    return history_writer_name(keeper->history);
}

bool keeper_close(struct keeper *keeper, struct utter_error *error)
{
    bool ok = true, recorded = false;
    for (int i = 0; i < keeper->recorder_count; i++)
        recorder_finish(keeper->recorders[i]);
    for (int i = 0; i < keeper->recorder_count; i++) {
        bool kept;
        ok = recorder_close(keeper->recorders[i], &kept, ok ? error : NULL) && ok;
        recorded |= kept;
    }
    ok = history_writer_close(keeper->history, recorded, ok ? error : NULL) && ok;
    *keeper = (struct keeper){0};
    return ok;
}
