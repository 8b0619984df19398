/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include "base/error.h"
#include "model/weight_norm.h"
#include "model/weights.h"
#include "nn/int8.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 240, ALIGNMENT = 8 };

/* A tensor of the file; of one in bytes there is a second, of its steps. */
struct entry {
    char name[NAME_BYTES];
    const struct tensor *tensor;
    const float *taps; /* factors of each tap, or NULL */
    bool in_bytes;
    int64_t outputs;
    int64_t inputs; /* elements of each output */
};

struct writer {
    const char *path;
    FILE *file;
    struct checkpoint *checkpoint;
    const struct kernels *kernels;
    struct entry *entries;
    int count;
    int room;
    float *taps;   /* [kernel] of the positional convolution's weight norm */
    float *floats; /* [the most inputs] */
    int8_t *bytes; /* as many */
    writer_progress *progress;
    void *user;
    int64_t done, total; /* elements in bytes */
    struct utter_error *error;
};

/* ---- what there is --------------------------------------------------------------------------- */

static bool becomes_bytes(const struct weights *weights, const struct tensor *tensor)
{
    return tensor->rank > 1 && tensor != &weights->conv[0].weight &&
           tensor != &weights->head.weight;
}

static enum utter_code add_entry(void *context, const char *name, struct tensor *tensor, int rank,
                                 const int64_t *shape)
{
    struct writer *writer = context;
    if (tensor->dtype == DTYPE_I8)
        return error_set(writer->error, UTTER_ERROR_FORMAT, "tensor %s is in 8 bits already", name);
    if (writer->count == writer->room) {
        int room = writer->room ? 2 * writer->room : 256;
        struct entry *entries = realloc(writer->entries, (size_t)room * sizeof *entries);
        if (!entries)
            return error_memory(writer->error, "the tensors");
        writer->entries = entries;
        writer->room = room;
    }
    struct entry *entry = &writer->entries[writer->count++];
    *entry = (struct entry){.tensor = tensor, .outputs = shape[0], .inputs = 1};
    snprintf(entry->name, sizeof entry->name, "%s", name);
    for (int i = 1; i < rank; i++)
        entry->inputs *= shape[i];
    entry->in_bytes = becomes_bytes(&writer->checkpoint->weights, tensor);
    if (entry->in_bytes)
        writer->total += entry->outputs * entry->inputs;
    if (tensor == &writer->checkpoint->weights.position_direction)
        entry->taps = writer->taps;
    return UTTER_OK;
}

static enum utter_code measure_taps(struct writer *writer)
{
    const struct weights *weights = &writer->checkpoint->weights;
    if (!weights->position_gain.data)
        return UTTER_OK;
    int64_t kernel = weights->position_direction.shape[2];
    writer->taps = calloc((size_t)kernel, sizeof *writer->taps);
    double *squares = calloc((size_t)kernel, sizeof *squares);
    if (writer->taps && squares)
        weight_norm_measure(&weights->position_direction, &weights->position_gain, writer->taps,
                            squares);
    free(squares);
    return writer->taps && squares ? UTTER_OK : error_memory(writer->error, "the weight norm");
}

static enum utter_code list_tensors(struct writer *writer)
{
    struct checkpoint *checkpoint = writer->checkpoint;
    struct weights_names names = {.prefix = "wav2vec2.", .position_direction = ".weight"};
    if (strcmp(checkpoint->config.model_type, "hubert") == 0)
        names.prefix = "hubert.";
    enum utter_code code = measure_taps(writer);
    if (code == UTTER_OK)
        code = weights_walk(&checkpoint->weights, &checkpoint->config, &names, add_entry, writer);
    int64_t most = 1;
    for (int i = 0; i < writer->count; i++)
        most = writer->entries[i].inputs > most ? writer->entries[i].inputs : most;
    writer->floats = malloc((size_t)most * sizeof *writer->floats);
    writer->bytes = malloc((size_t)most);
    if (code == UTTER_OK && (!writer->floats || !writer->bytes))
        code = error_memory(writer->error, "a row of weights");
    return code;
}

/* ---- the header ------------------------------------------------------------------------------ */

static const char *dtype_name(enum dtype dtype)
{
    static const char *const names[] = {
        [DTYPE_F32] = "F32", [DTYPE_F16] = "F16", [DTYPE_BF16] = "BF16", [DTYPE_I8] = "I8"};
    return names[dtype];
}

static int64_t element_bytes(enum dtype dtype)
{
    return dtype == DTYPE_F32 ? 4 : dtype == DTYPE_I8 ? 1 : 2;
}

static void describe(json_t *header, const char *name, const char *dtype, int rank,
                     const int64_t *shape, int64_t element, int64_t *offset)
{
    json_t *dimensions = json_array();
    int64_t begin = *offset, elements = 1;
    for (int i = 0; i < rank; i++) {
        json_array_append_new(dimensions, json_integer(shape[i]));
        elements *= shape[i];
    }
    *offset += elements * element;
    json_object_set_new(header, name,
                        json_pack("{s:s, s:o, s:[II]}", "dtype", dtype, "shape", dimensions,
                                  "data_offsets", (json_int_t)begin, (json_int_t)*offset));
}

/*
 * Wider elements come first, so that all are aligned: floats, steps, half floats, bytes. This is
 * the order in which write_data() goes, too.
 */
enum part { PART_FLOATS, PART_STEPS, PART_HALVES, PART_BYTES, PARTS };

static bool is_in_part(const struct entry *entry, enum part part)
{
    if (part == PART_STEPS || part == PART_BYTES)
        return entry->in_bytes;
    return !entry->in_bytes && (entry->tensor->dtype == DTYPE_F32) == (part == PART_FLOATS);
}

static json_t *make_header(const struct writer *writer)
{
    json_t *header =
        json_pack("{s:{s:s, s:s}}", "__metadata__", "format", "pt", "utter.weights",
                  "I8: integers times <name>_scale of their output, the first dimension");
    int64_t offset = 0;
    for (int part = 0; part < PARTS; part++) {
        for (int i = 0; i < writer->count; i++) {
            const struct entry *entry = &writer->entries[i];
            const struct tensor *tensor = entry->tensor;
            char name[NAME_BYTES + 16];
            if (!is_in_part(entry, (enum part)part))
                continue;
            snprintf(name, sizeof name, "%s%s", entry->name,
                     part == PART_STEPS ? WEIGHTS_STEPS : "");
            if (part == PART_STEPS)
                describe(header, name, "F32", 1, tensor->shape, 4, &offset);
            else if (part == PART_BYTES)
                describe(header, name, "I8", tensor->rank, tensor->shape, 1, &offset);
            else
                describe(header, name, dtype_name(tensor->dtype), tensor->rank, tensor->shape,
                         element_bytes(tensor->dtype), &offset);
        }
    }
    return header;
}

static enum utter_code write_header(struct writer *writer)
{
    json_t *header = make_header(writer);
    char *text = header ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    if (!text)
        return error_memory(writer->error, "the file's header");
    uint64_t length = strlen(text), padding = (ALIGNMENT - length % ALIGNMENT) % ALIGNMENT;
    uint64_t whole = length + padding;
    fwrite(&whole, sizeof whole, 1, writer->file);
    fwrite(text, 1, length, writer->file);
    fprintf(writer->file, "%*s", (int)padding, "");
    free(text);
    return UTTER_OK;
}

/* ---- the data -------------------------------------------------------------------------------- */

/* One output's weights as they are in the file's order: its step, and its bytes in writer->bytes.
 */
static float round_output(struct writer *writer, const struct entry *entry, int64_t output)
{
    tensor_to_float(entry->tensor, output * entry->inputs, entry->inputs, writer->floats);
    if (entry->taps) {
        int64_t kernel = entry->tensor->shape[2];
        for (int64_t i = 0; i < entry->inputs; i++)
            writer->floats[i] *= entry->taps[i % kernel];
    }
    return writer->kernels->int8_round(writer->floats, entry->inputs, writer->bytes);
}

static void write_entry(struct writer *writer, const struct entry *entry, enum part part)
{
    const struct tensor *tensor = entry->tensor;
    if (!entry->in_bytes) {
        fwrite(tensor->data, (size_t)element_bytes(tensor->dtype),
               (size_t)(entry->outputs * entry->inputs), writer->file);
        return;
    }
    for (int64_t output = 0; output < entry->outputs; output++) {
        float step = round_output(writer, entry, output);
        if (part == PART_STEPS)
            fwrite(&step, sizeof step, 1, writer->file);
        else
            fwrite(writer->bytes, 1, (size_t)entry->inputs, writer->file);
    }
    writer->done += entry->outputs * entry->inputs;
    checkpoint_release_pages(writer->checkpoint);
}

static enum utter_code write_data(struct writer *writer)
{
    for (int part = 0; part < PARTS; part++) {
        for (int i = 0; i < writer->count; i++) {
            const struct entry *entry = &writer->entries[i];
            if (!is_in_part(entry, (enum part)part))
                continue;
            write_entry(writer, entry, (enum part)part);
            /* Steps and bytes go over all elements once each. */
            double share = (double)writer->done / (2.0 * (double)writer->total);
            if (writer->progress && !writer->progress(writer->user, share))
                return error_set(writer->error, UTTER_ERROR_CANCELLED, "interrupted");
            if (ferror(writer->file))
                return error_set(writer->error, UTTER_ERROR_FILE, "%s: cannot be written: %m",
                                 writer->path);
        }
    }
    return UTTER_OK;
}

static enum utter_code write_file(struct writer *writer)
{
    writer->file = fopen(writer->path, "wxe");
    if (!writer->file)
        return error_set(writer->error, UTTER_ERROR_FILE, "%s: %m", writer->path);
    enum utter_code code = write_header(writer);
    if (code == UTTER_OK)
        code = write_data(writer);
    if (fflush(writer->file) != 0 && code == UTTER_OK)
        code =
            error_set(writer->error, UTTER_ERROR_FILE, "%s: cannot be written: %m", writer->path);
    return code;
}

static void describe_result(const struct writer *writer, struct writer_result *result)
{
    *result = (struct writer_result){.bytes = ftello(writer->file)};
    for (int i = 0; i < writer->count; i++)
        result->tensors += writer->entries[i].in_bytes;
}

enum utter_code writer_write(const char *path, struct checkpoint *checkpoint,
                             writer_progress *progress, void *user, struct writer_result *result,
                             struct utter_error *error)
{
    struct writer writer = {
        .path = path,
        .checkpoint = checkpoint,
        .kernels = kernels_best(),
        .progress = progress,
        .user = user,
        .error = error,
    };
    enum utter_code code = list_tensors(&writer);
    if (code == UTTER_OK)
        code = write_file(&writer);
    if (code == UTTER_OK)
        describe_result(&writer, result);
    if (writer.file && fclose(writer.file) != 0 && code == UTTER_OK)
        code = error_set(error, UTTER_ERROR_FILE, "%s: cannot be written: %m", path);
    free(writer.entries);
    free(writer.taps);
    free(writer.floats);
    free(writer.bytes);
    return code;
}
