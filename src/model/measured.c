/* SPDX-License-Identifier: MIT */
#include "model/measured.h"

#include "base/error.h"

#include <string.h>

/* Words that were added count, too, so more than 100 of 100 may be wrong. */
static const double RATE_MOST = 10000.0;

enum utter_code measured_parse(struct measured *measured, const json_t *json, const char *path,
                               struct utter_error *error)
{
    struct json_fields fields = {json, path, UTTER_OK, error};
    const char *encoder = json_fields_string(&fields, "encoder", "window");
    bool cached = strcmp(encoder, "cached") == 0;
    if (fields.code == UTTER_OK && !cached && strcmp(encoder, "window") != 0)
        fields.code = error_set(error, UTTER_ERROR_FORMAT,
                                "%s: encoder must be \"cached\" or \"window\"", error_path(path));
    measured->encoder = cached ? UTTER_ENCODER_CACHED : UTTER_ENCODER_WINDOW;
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
