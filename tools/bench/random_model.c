/* SPDX-License-Identifier: MIT */
#include "random_model.h"

#include "base/error.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONV_LAYERS = 7, CHANNELS = 512, KERNEL = 128, GROUPS = 16, PIECE = 8192 };

/* Samples to a frame, as every published checkpoint has them. */
static const int conv_kernel[CONV_LAYERS] = {10, 3, 3, 3, 3, 2, 2};
static const int conv_stride[CONV_LAYERS] = {5, 2, 2, 2, 2, 2, 2};

struct random_shape {
    const char *name;
    int channels; /* of every convolution */
    int hidden;
    int layers;
    int heads;
    int inner;
    bool stable; /* layer norm in the extractor, biases, norms before attention */
};

static const struct random_shape shapes[] = {
    {"base", CHANNELS, 768, 12, 12, 3072, false},
    {"large", CHANNELS, 1024, 24, 16, 4096, true},
    {"tiny", 64, 96, 2, 4, 192, false},
    {"tiny-stable", 64, 96, 2, 4, 192, true},
};

static const char *const tokens[] = {
    "<pad>", "<s>", "</s>", "<unk>", "|", "E", "T", "A", "O", "N", "I", "H", "S", "R", "D", "L",
    "U",     "M",   "W",    "C",     "F", "G", "Y", "P", "B", "V", "K", "'", "X", "J", "Q", "Z"};
enum { TOKENS = sizeof tokens / sizeof *tokens };

const struct random_shape *random_shape_find(const char *name)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (strcmp(name, shapes[i].name) == 0)
            return &shapes[i];
    }
    return NULL;
}

/* ---- random numbers -------------------------------------------------------------------------- */

struct generator {
    uint64_t state;
};

/* FNV-1a of the tensor's name: each tensor's values depend on nothing else. */
static struct generator generator_of(const char *name)
{
    struct generator generator = {0xcbf29ce484222325};
    for (; *name; name++)
        generator.state = (generator.state ^ (unsigned char)*name) * 0x100000001b3;
    return generator;
}

/* splitmix64 (Steele, Lea, Flood 2014), of which the upper bits make a float of -1 to 1. */
static float next_float(struct generator *generator)
{
    uint64_t z = generator->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return (float)(int32_t)(z >> 32) * 0x1p-31f;
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* Goes twice over all tensors: for the header first, then for the values. */
struct writer {
    FILE *file;
    enum random_storage storage;
    bool values;
    uint64_t offset;
    const char *between;
};

static int storage_bytes(enum random_storage storage)
{
    return storage == RANDOM_F32 ? 4 : 2;
}

static void write_header_entry(struct writer *writer, const char *name, const int *shape, int rank,
                               uint64_t bytes)
{
    static const char *const names[] = {"F32", "F16", "BF16"};
    fprintf(writer->file, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", writer->between, name,
            names[writer->storage]);
    for (int i = 0; i < rank; i++)
        fprintf(writer->file, "%s%d", i ? "," : "", shape[i]);
    fprintf(writer->file, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", writer->offset,
            writer->offset + bytes);
    writer->between = ",";
}

/* For magnitudes from 2^-14 to 2^15, which all weights here have, or to zero below them. */
static uint16_t half_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, magnitude = (bits & 0x7fffffff) + 0x1000;
    return (uint16_t)(magnitude < 113u << 23 ? sign : sign | (magnitude - (112u << 23)) >> 13);
}

static uint16_t bfloat_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x8000) >> 16);
}

static void write_values(struct writer *writer, const char *name, uint64_t count, float mean,
                         float spread)
{
    struct generator generator = generator_of(name);
    float piece[PIECE];
    uint16_t halves[PIECE];
    while (count > 0) {
        size_t length = count < PIECE ? (size_t)count : PIECE;
        for (size_t i = 0; i < length; i++) {
            piece[i] = mean + spread * next_float(&generator);
            halves[i] = writer->storage == RANDOM_F16 ? half_of(piece[i]) : bfloat_of(piece[i]);
        }
        if (writer->storage == RANDOM_F32)
            fwrite(piece, sizeof *piece, length, writer->file);
        else
            fwrite(halves, sizeof *halves, length, writer->file);
        count -= length;
    }
}

/* A tensor with values of mean ± spread; of its three dimensions the first that is 0 ends them. */
static void put(struct writer *writer, const char *name, int a, int b, int c, float mean,
                float spread)
{
    const int shape[] = {a, b, c};
    int rank = b == 0 ? 1 : c == 0 ? 2 : 3;
    uint64_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= (uint64_t)shape[i];
    uint64_t bytes = count * (uint64_t)storage_bytes(writer->storage);
    if (writer->values)
        write_values(writer, name, count, mean, spread);
    else
        write_header_entry(writer, name, shape, rank, bytes);
    writer->offset += bytes;
}

struct name {
    char text[120];
};

static struct name join(const char *base, const char *end)
{
    struct name name;
    snprintf(name.text, sizeof name.text, "%.70s%.49s", base, end);
    return name;
}

static void put_norm(struct writer *writer, const char *base, int size)
{
    put(writer, join(base, ".weight").text, size, 0, 0, 1.0f, 0.3f);
    put(writer, join(base, ".bias").text, size, 0, 0, 0.0f, 0.1f);
}

/* Uniform weights whose sum over `inputs` values of variance 1 has variance gain². */
static float spread_of(float gain, int inputs)
{
    return gain * sqrtf(3.0f / (float)inputs);
}

static void put_linear(struct writer *writer, const char *base, int outputs, int inputs, float gain)
{
    put(writer, join(base, ".weight").text, outputs, inputs, 0, 0.0f, spread_of(gain, inputs));
    put(writer, join(base, ".bias").text, outputs, 0, 0, 0.0f, 0.1f);
}

static void put_extractor(struct writer *writer, const struct random_shape *shape)
{
    for (int i = 0; i < CONV_LAYERS; i++) {
        struct name base, end;
        int inputs = i == 0 ? 1 : shape->channels;
        snprintf(base.text, sizeof base.text, "wav2vec2.feature_extractor.conv_layers.%d", i);
        end = join(base.text, ".conv.weight");
        /* GELU takes away more than half of the power. */
        put(writer, end.text, shape->channels, inputs, conv_kernel[i], 0.0f,
            spread_of(1.5f, inputs * conv_kernel[i]));
        if (shape->stable)
            put(writer, join(base.text, ".conv.bias").text, shape->channels, 0, 0, 0.0f, 0.1f);
        if (shape->stable || i == 0)
            put_norm(writer, join(base.text, ".layer_norm").text, shape->channels);
    }
}

static void put_layer(struct writer *writer, const struct random_shape *shape, int layer)
{
    static const struct {
        const char *name;
        float gain; /* of queries and keys: so that attention is peaked */
    } projections[] = {{"q_proj", 1.6f}, {"k_proj", 1.6f}, {"v_proj", 1.0f}, {"out_proj", 1.0f}};
    struct name base;
    snprintf(base.text, sizeof base.text, "wav2vec2.encoder.layers.%d", layer);
    for (int i = 0; i < 4; i++) {
        struct name attention = join(base.text, ".attention.");
        put_linear(writer, join(attention.text, projections[i].name).text, shape->hidden,
                   shape->hidden, projections[i].gain);
    }
    put_norm(writer, join(base.text, ".layer_norm").text, shape->hidden);
    put_linear(writer, join(base.text, ".feed_forward.intermediate_dense").text, shape->inner,
               shape->hidden, 1.0f);
    put_linear(writer, join(base.text, ".feed_forward.output_dense").text, shape->hidden,
               shape->inner, 1.0f);
    put_norm(writer, join(base.text, ".final_layer_norm").text, shape->hidden);
}

static void put_all(struct writer *writer, const struct random_shape *shape)
{
    int hidden = shape->hidden;
    struct name position = {"wav2vec2.encoder.pos_conv_embed.conv"};
    writer->offset = 0;
    put(writer, "wav2vec2.masked_spec_embed", hidden, 0, 0, 0.5f, 0.5f);
    put_extractor(writer, shape);
    put_norm(writer, "wav2vec2.feature_projection.layer_norm", shape->channels);
    put_linear(writer, "wav2vec2.feature_projection.projection", hidden, shape->channels, 1.0f);
    put(writer, join(position.text, ".parametrizations.weight.original0").text, 1, 1, KERNEL,
        sqrtf((float)hidden / KERNEL), 0.5f);
    put(writer, join(position.text, ".parametrizations.weight.original1").text, hidden,
        hidden / GROUPS, KERNEL, 0.0f, 0.02f);
    put(writer, join(position.text, ".bias").text, hidden, 0, 0, 0.0f, 0.1f);
    put_norm(writer, "wav2vec2.encoder.layer_norm", hidden);
    for (int i = 0; i < shape->layers; i++)
        put_layer(writer, shape, i);
    put_linear(writer, "lm_head", TOKENS, hidden, 3.0f);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void write_weights(FILE *file, const struct random_shape *shape, enum random_storage storage)
{
    struct writer writer = {.file = file, .storage = storage, .between = "{"};
    uint64_t length = 0;
    fwrite(&length, sizeof length, 1, file);
    put_all(&writer, shape);
    /* The values begin on a multiple of 64 bytes. */
    fprintf(file, "}");
    long end = ftell(file);
    fprintf(file, "%*s", (int)((end + 63) / 64 * 64 - end), "");
    length = (uint64_t)((end + 63) / 64 * 64) - sizeof length;
    rewind(file);
    fwrite(&length, sizeof length, 1, file);
    fseek(file, 0, SEEK_END);
    writer.values = true;
    put_all(&writer, shape);
}

static void write_config(FILE *file, const struct random_shape *shape, enum random_storage storage)
{
    const char *stable = shape->stable ? "true" : "false";
    (void)storage;
    fprintf(file, "{\"architectures\":[\"Wav2Vec2ForCTC\"],\"model_type\":\"wav2vec2\",");
    const char *between = "\"conv_dim\":[";
    for (int i = 0; i < CONV_LAYERS; i++, between = ",")
        fprintf(file, "%s%d", between, shape->channels);
    between = "],\"conv_kernel\":[";
    for (int i = 0; i < CONV_LAYERS; i++, between = ",")
        fprintf(file, "%s%d", between, conv_kernel[i]);
    between = "],\"conv_stride\":[";
    for (int i = 0; i < CONV_LAYERS; i++, between = ",")
        fprintf(file, "%s%d", between, conv_stride[i]);
    fprintf(file,
            "],\"num_feat_extract_layers\":%d,\"conv_bias\":%s,\"feat_extract_norm\":\"%s\","
            "\"feat_extract_activation\":\"gelu\",\"do_stable_layer_norm\":%s,"
            "\"hidden_act\":\"gelu\",\"layer_norm_eps\":1e-05,",
            CONV_LAYERS, stable, shape->stable ? "layer" : "group", stable);
    fprintf(file,
            "\"hidden_size\":%d,\"num_hidden_layers\":%d,\"num_attention_heads\":%d,"
            "\"intermediate_size\":%d,\"num_conv_pos_embeddings\":%d,"
            "\"num_conv_pos_embedding_groups\":%d,\"vocab_size\":%d,\"pad_token_id\":0,"
            "\"bos_token_id\":1,\"eos_token_id\":2}\n",
            shape->hidden, shape->layers, shape->heads, shape->inner, KERNEL, GROUPS, TOKENS);
}

static void write_vocabulary(FILE *file, const struct random_shape *shape,
                             enum random_storage storage)
{
    (void)shape;
    (void)storage;
    for (int i = 0; i < TOKENS; i++)
        fprintf(file, "%s\"%s\":%d", i ? "," : "{", tokens[i], i);
    fprintf(file, "}\n");
}

static void write_preprocessor(FILE *file, const struct random_shape *shape,
                               enum random_storage storage)
{
    (void)shape;
    (void)storage;
    fprintf(file, "{\"feature_extractor_type\":\"Wav2Vec2FeatureExtractor\",\"feature_size\":1,"
                  "\"do_normalize\":true,\"sampling_rate\":16000,\"padding_value\":0.0,"
                  "\"padding_side\":\"right\",\"return_attention_mask\":false}\n");
}

static const struct {
    const char *name;
    void (*write)(FILE *file, const struct random_shape *shape, enum random_storage storage);
} files[] = {
    {"config.json", write_config},
    {"vocab.json", write_vocabulary},
    {"preprocessor_config.json", write_preprocessor},
    {"model.safetensors", write_weights},
};
enum { FILES = sizeof files / sizeof *files };

static void path_of(char *path, size_t size, const char *directory, int file)
{
    snprintf(path, size, "%s/%s", directory, files[file].name);
}

enum utter_code random_model_write(const struct random_shape *shape, enum random_storage storage,
                                   const char *directory, struct utter_error *error)
{
    for (int i = 0; i < FILES; i++) {
        char path[4096];
        path_of(path, sizeof path, directory, i);
        FILE *file = fopen(path, "we");
        if (!file)
            return error_set(error, UTTER_ERROR_FILE, "%s: %m", path);
        files[i].write(file, shape, storage);
        bool failed = ferror(file);
        if (fclose(file) != 0 || failed)
            return error_set(error, UTTER_ERROR_FILE, "%s: cannot be written: %m", path);
    }
    return UTTER_OK;
}

void random_model_remove(const char *directory)
{
    for (int i = 0; i < FILES; i++) {
        char path[4096];
        path_of(path, sizeof path, directory, i);
        unlink(path);
    }
    rmdir(directory);
}
