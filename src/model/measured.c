/* SPDX-License-Identifier: MIT */
#include "model/measured.h"

#include "base/error.h"

#include <string.h>

/* Words that were added count, too, so more than 100 of 100 may be wrong. */
static const double RATE_MOST = 10000.0;

/* The place of what field `name` says in `choices`, whose first is the default. */
static int read_choice(struct json_fields *fields, const char *name, const char *const *choices,
                       const char *wanted)
{
    const char *said = json_fields_string(fields, name, choices[0]);
    for (int i = 0; choices[i]; i++)
        if (strcmp(said, choices[i]) == 0)
            return i;
    if (fields->code == UTTER_OK)
        fields->code = error_set(fields->error, UTTER_ERROR_FORMAT, "%s: %s must be %s",
                                 error_path(fields->path), name, wanted);
    return 0;
}

enum utter_code measured_parse(struct measured *measured, const json_t *json, const char *path,
                               struct utter_error *error)
{
    static const char *const encoder_names[] = {"window", "cached", NULL};
    static const enum utter_encoder encoders[] = {UTTER_ENCODER_WINDOW, UTTER_ENCODER_CACHED};
    static const char *const latency_names[] = {"normal", "low", "high", NULL};
    static const enum utter_latency latencies[] = {UTTER_LATENCY_NORMAL, UTTER_LATENCY_LOW,
                                                   UTTER_LATENCY_HIGH};
    struct json_fields fields = {json, path, UTTER_OK, error};
    measured->encoder =
        encoders[read_choice(&fields, "encoder", encoder_names, "\"cached\" or \"window\"")];
    measured->latency = latencies[read_choice(&fields, "latency", latency_names,
                                              "\"low\", \"normal\" or \"high\"")];
    measured->word_error_rate = json_fields_real(&fields, "word_error_rate", -1, 0, RATE_MOST);
    return fields.code;
}

enum utter_code measured_read(struct measured *measured, const char *directory,
                              struct utter_error *error)
{
    struct json_file file;
    enum utter_code code = json_file_read_optional(&file, directory, "utter.json", error);
    if (code == UTTER_OK)
        code = measured_parse(measured, file.json, file.path.text, error);
    json_file_close(&file);
    return code;
}
