/* SPDX-License-Identifier: Apache-2.0
 * A closed loop of callers at the door: N kept-alive connections, each with one request in flight,
 * all from one process and, unless told otherwise, one thread, so that the generator takes as
 * little of the two cores as it can. */
#include "crew.h"
#include "door.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, CONNECTIONS_MAX = 4096 };

struct caller {
    struct door door;
    int64_t begun;
};

struct load {
    const struct door_request *request;
    FILE *samples; /* NULL, or where each answer's end and latency go */
    struct caller *callers;
    size_t n;
};

struct options {
    const char *socket;
    const char *path;
    const char *body;
    const char *content_type;
    const char *samples;
    const char *name;
    size_t connections;
    size_t threads;
    struct crew crew;
};

static bool begin(struct caller *caller, const struct door_request *request)
{
    caller->begun = meter_now_ns();
    return door_send(&caller->door, request);
}

/* The first problem is shown, the others are counted. */
static void count_refusal(struct crew_member *member, const struct caller *caller)
{
    if (member->failed++ == 0) {
        (void)fprintf(stderr, "bench: refused:\n%s\n", caller->door.answer);
    }
}

/* "END LATENCY", nanoseconds of CLOCK_MONOTONIC, of every answer, those of the warm-up too. */
static void note_sample(const struct load *load, int64_t end, int64_t latency)
{
    if (load->samples != NULL) {
        (void)fprintf(load->samples, "%lld %lld\n", (long long)end, (long long)latency);
    }
}

/* Reads what is there, and when that ends the answer, asks again. */
static bool go_on(struct crew_member *member, struct caller *caller)
{
    const struct load *load = member->own;
    int64_t now;
    switch (door_receive(&caller->door)) {
    case DOOR_MORE:
        return true;
    case DOOR_OK:
        now = meter_now_ns();
        crew_record(member, now - caller->begun);
        note_sample(load, now, now - caller->begun);
        return begin(caller, load->request);
    case DOOR_REFUSED:
        count_refusal(member, caller);
        return begin(caller, load->request);
    case DOOR_BROKEN:
        break;
    }
    return false;
}

static bool loop_over_one(struct crew_member *member, struct load *load)
{
    bool good = begin(&load->callers[0], load->request);
    while (good && crew_works(member->crew)) {
        good = go_on(member, &load->callers[0]);
    }
    return good;
}

static bool loop_over_many(struct crew_member *member, struct load *load, int events)
{
    bool good = true;
    for (size_t i = 0; good && i < load->n; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &load->callers[i]};
        good = epoll_ctl(events, EPOLL_CTL_ADD, load->callers[i].door.fd, &event) == 0 &&
               begin(&load->callers[i], load->request);
    }
    while (good && crew_works(member->crew)) {
        struct epoll_event ready[EVENTS_MAX];
        int n = epoll_wait(events, ready, EVENTS_MAX, 1000);
        for (int i = 0; good && i < n; i++) {
            good = go_on(member, ready[i].data.ptr);
        }
    }
    return good;
}

static void *work(void *argument)
{
    struct crew_member *member = argument;
    struct load *load = member->own;
    bool good = false;
    if (load->n == 1) {
        good = loop_over_one(member, load);
    } else {
        int events = epoll_create1(EPOLL_CLOEXEC);
        good = events >= 0 && loop_over_many(member, load, events);
        (void)close(events);
    }
    if (!good) {
        (void)fputs("bench: a connection broke\n", stderr);
        member->broken = true;
    }
    return NULL;
}

static void usage(void)
{
    (void)fputs("usage: bench_http --socket PATH --path /v1/... [--body FILE] [--type MIME]\n"
                "  [--connections 1] [--threads 1] [--seconds 1] [--warm-up 0.2] [--count N]\n"
                "  [--name TEXT] [--pids A,B,...] [--samples FILE]\n",
                stderr);
    exit(2);
}

static void set_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case 's':
        options->socket = value;
        return;
    case 'p':
        options->path = value;
        return;
    case 'b':
        options->body = value;
        return;
    case 't':
        options->content_type = value;
        return;
    case 'c':
        options->connections = strtoul(value, NULL, 10);
        return;
    case 'A':
        options->samples = value;
        return;
    case 'T':
        options->threads = strtoul(value, NULL, 10);
        return;
    default:
        if (!crew_option(&options->crew, option, value, &options->name)) {
            usage();
        }
    }
}

static struct options parse(int argc, char **argv)
{
    static const struct option known[] = {{"socket", 1, NULL, 's'},
                                          {"path", 1, NULL, 'p'},
                                          {"body", 1, NULL, 'b'},
                                          {"type", 1, NULL, 't'},
                                          {"connections", 1, NULL, 'c'},
                                          {"threads", 1, NULL, 'T'},
                                          {"samples", 1, NULL, 'A'},
                                          CREW_OPTIONS,
                                          {0}};
    struct options options = {.content_type = "application/json",
                              .name = "http",
                              .connections = 1,
                              .threads = 1,
                              .crew = CREW_DEFAULTS};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        set_option(&options, option, optarg);
    }
    if (options.socket == NULL || options.path == NULL || options.threads == 0 ||
        options.threads > CREW_MAX || options.connections < options.threads ||
        options.connections > CONNECTIONS_MAX) {
        usage();
    }
    return options;
}

/* Connections are dealt to the threads as evenly as they go. */
static bool measure(struct options *options, const struct door_request *request,
                    struct caller *callers)
{
    FILE *samples = options->samples == NULL ? NULL : fopen(options->samples, "we");
    if (options->samples != NULL && samples == NULL) {
        perror(options->samples);
        return false;
    }
    struct crew_member *members = calloc(options->threads, sizeof *members);
    struct load *loads = calloc(options->threads, sizeof *loads);
    bool good = members != NULL && loads != NULL;
    size_t dealt = 0;
    for (size_t i = 0; good && i < options->threads; i++) {
        size_t share = (options->connections - dealt) / (options->threads - i);
        loads[i] = (struct load){request, samples, callers + dealt, share};
        members[i].own = &loads[i];
        dealt += share;
    }
    good = good && crew_run(&options->crew, options->name, work, members, options->threads);
    free(loads);
    free(members);
    return (samples == NULL || fclose(samples) == 0) && good;
}

static struct caller *connect_all(const struct options *options)
{
    struct caller *callers = calloc(options->connections, sizeof *callers);
    for (size_t i = 0; callers != NULL && i < options->connections; i++) {
        if (!door_open(&callers[i].door, options->socket)) {
            perror(options->socket);
            free(callers);
            return NULL;
        }
    }
    return callers;
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);
    struct door_request request = {0};
    if (!door_request_init(&request, options.path, options.body, options.content_type)) {
        return EXIT_FAILURE;
    }
    struct caller *callers = connect_all(&options);
    bool good = callers != NULL && measure(&options, &request, callers);
    free(callers);
    door_request_free(&request);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
