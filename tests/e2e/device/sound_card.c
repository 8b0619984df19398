/* SPDX-License-Identifier: MIT */
/*
 * A sound card without a sound server, for tests: an ALSA plug-in, so that the program's PortAudio
 * opens it as it opens any other. It has one rate, one number of channels and one format, and
 * refuses all others. From `delay` ms after its start on it hears the file of raw samples, in real
 * time, and then silence.
 *
 *     pcm_type.card { lib "/.../sound_card.so" }
 *     pcm.odd { type card file "speech.raw" rate 44100 channels 2 format S24_3LE delay 0 }
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { TICK_NS = 10000000 };

struct card {
    snd_pcm_ioplug_t io;
    int file;
    long rate;
    long channels;
    snd_pcm_format_t format;
    long delay_ms;
    int64_t begin_ns; /* the first sample's moment; 0: never started */
    int64_t start;    /* frame of the card at which the stream was started last */
    int64_t taken;    /* frames of that stream that were read */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Frames that the card has heard; negative before its first. */
static int64_t heard(const struct card *card)
{
    return (now_ns() - card->begin_ns) / 1000 * card->rate / 1000000;
}

static int card_start(snd_pcm_ioplug_t *io)
{
    struct card *card = io->private_data;
    const struct itimerspec ticks = {{0, TICK_NS}, {0, TICK_NS}};
    if (card->begin_ns == 0)
        card->begin_ns = now_ns() + card->delay_ms * 1000000;
    int64_t frame = heard(card);
    card->start = frame > 0 ? frame : 0;
    card->taken = 0;
    return timerfd_settime(io->poll_fd, 0, &ticks, NULL);
}

static int card_stop(snd_pcm_ioplug_t *io)
{
    const struct itimerspec never = {0};
    return timerfd_settime(io->poll_fd, 0, &never, NULL);
}

static snd_pcm_sframes_t card_pointer(snd_pcm_ioplug_t *io)
{
    struct card *card = io->private_data;
    int64_t since = heard(card) - card->start;
    if (since <= 0)
        return 0;
    if (since - card->taken > (int64_t)io->buffer_size)
        return -EPIPE; /* an overrun: what nobody fetched in time is lost */
    return since % (int64_t)io->buffer_size;
}

static snd_pcm_sframes_t card_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                       snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
    struct card *card = io->private_data;
    size_t frame_bytes = areas->step / 8;
    char *to = (char *)areas->addr + areas->first / 8 + offset * frame_bytes;
    size_t bytes = size * frame_bytes;
    off_t at = (card->start + card->taken) * (off_t)frame_bytes;
    ssize_t got = pread(card->file, to, bytes, at);
    got = got > 0 ? got : 0;
    memset(to + got, 0, bytes - (size_t)got);
    card->taken += (int64_t)size;
    return (snd_pcm_sframes_t)size;
}

static int card_revents(snd_pcm_ioplug_t *io, struct pollfd *polled, unsigned int count,
                        unsigned short *revents)
{
    (void)count;
    struct card *card = io->private_data;
    uint64_t ticks;
    *revents = 0;
    if ((polled->revents & POLLIN) == 0 || read(io->poll_fd, &ticks, sizeof ticks) < 0)
        return 0;
    if (heard(card) - card->start - card->taken >= (int64_t)io->period_size)
        *revents = POLLIN;
    return 0;
}

static int card_close(snd_pcm_ioplug_t *io)
{
    struct card *card = io->private_data;
    close(card->file);
    close(io->poll_fd);
    free(card);
    return 0;
}

static const snd_pcm_ioplug_callback_t CALLBACKS = {
    .start = card_start,
    .stop = card_stop,
    .pointer = card_pointer,
    .transfer = card_transfer,
    .poll_revents = card_revents,
    .close = card_close,
};

/* What the card can do, and nothing else. */
static int limit(struct card *card)
{
    const unsigned int access[] = {SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_RW_INTERLEAVED};
    const unsigned int format[] = {(unsigned int)card->format};
    snd_pcm_ioplug_t *io = &card->io;
    unsigned int rate = (unsigned int)card->rate, channels = (unsigned int)card->channels;
    unsigned int frame = channels * (unsigned int)snd_pcm_format_physical_width(card->format) / 8;
    int failed = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 2, access);
    failed |= snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, format);
    failed |= snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, rate, rate);
    failed |= snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, channels, channels);
    failed |= snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 64 * frame,
                                              rate / 10 * frame);
    failed |= snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 128 * frame,
                                              rate * frame);
    failed |= snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 64);
    return failed;
}

static int read_options(struct card *card, snd_config_t *options)
{
    snd_config_iterator_t i, next;
    const char *file = NULL, *format = NULL;
    snd_config_for_each(i, next, options)
    {
        snd_config_t *option = snd_config_iterator_entry(i);
        const char *id;
        if (snd_config_get_id(option, &id) < 0)
            continue;
        if (strcmp(id, "file") == 0)
            snd_config_get_string(option, &file);
        else if (strcmp(id, "format") == 0)
            snd_config_get_string(option, &format);
        else if (strcmp(id, "rate") == 0)
            snd_config_get_integer(option, &card->rate);
        else if (strcmp(id, "channels") == 0)
            snd_config_get_integer(option, &card->channels);
        else if (strcmp(id, "delay") == 0)
            snd_config_get_integer(option, &card->delay_ms);
    }
    if (file == NULL || format == NULL || card->rate <= 0 || card->channels <= 0)
        return -EINVAL;
    card->format = snd_pcm_format_value(format);
    card->file = open(file, O_RDONLY | O_CLOEXEC);
    return card->file < 0 ? -errno : 0;
}

SND_PCM_PLUGIN_DEFINE_FUNC(card); /* a prototype, which clang asks for */

SND_PCM_PLUGIN_DEFINE_FUNC(card)
{
    (void)root;
    if (stream != SND_PCM_STREAM_CAPTURE)
        return -ENODEV;
    struct card *card = calloc(1, sizeof *card);
    if (card == NULL)
        return -ENOMEM;
    int failure = read_options(card, conf);
    card->io = (snd_pcm_ioplug_t){
        .version = SND_PCM_IOPLUG_VERSION,
        .name = "a sound card of a test",
        .callback = &CALLBACKS,
        .private_data = card,
        .poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
        .poll_events = POLLIN,
    };
    if (failure == 0)
        failure = snd_pcm_ioplug_create(&card->io, name, stream, mode);
    if (failure != 0) {
        close(card->io.poll_fd);
        free(card);
        return failure;
    }
    failure = limit(card);
    if (failure != 0) {
        snd_pcm_ioplug_delete(&card->io);
        return failure;
    }
    *pcmp = card->io.pcm;
    return 0;
}

SND_PCM_PLUGIN_SYMBOL(card);
