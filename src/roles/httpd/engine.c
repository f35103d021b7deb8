/* SPDX-License-Identifier: Apache-2.0
 * libmicrohttpd, driven from our loop.
 *
 * It watches each connection for reading and writing, so that a caller who takes its answer would
 * wake us once more for nothing. We watch callers for reading ourselves (peers.c) and run the
 * library when one has spoken or has been answered; its own epoll set is put into ours only while
 * some request is not whole yet, or an answer does not fit into its caller's socket.
 *
 * The first of these is no comfort: a caller's bytes wake our set and the library's one after the
 * other, so that the library may look before its own has heard of them, and would never be run
 * again. */
#include "roles/httpd/httpd.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    /* Head, body chunk and answer head; cleared after each request. The library also keeps some 60
     * bytes per field here, so less would not hold a head of 8 KiB with fields of usual length. */
    CONNECTION_MEMORY = 16 * 1024,
    CONNECTIONS_MAX = 65536, /* qseald's limit is lower; peers.c keeps it */
    ROUNDS_MAX = 16,
    STOP_ROUNDS = 64,
    MESSAGE_SIZE = 512,
};

/* Two messages for each answer on a unix socket are about TCP and say nothing. */
static void engine_log(void *httpd, const char *format, va_list args)
{
    (void)httpd;
    if (strncmp(format, "Setting ", 8) == 0 || strstr(format, "may experience") != NULL) {
        return;
    }
    char text[MESSAGE_SIZE];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)vsnprintf(text, sizeof text, format, args);
#pragma GCC diagnostic pop
    text[strcspn(text, "\n")] = '\0';
    log_debug("libmicrohttpd: %s", text);
}

/* Nothing is unescaped: a path that needs it is none of ours. */
static size_t engine_unescape(void *httpd, struct MHD_Connection *connection, char *text)
{
    (void)httpd;
    (void)connection;
    return strlen(text);
}

static void engine_connection(void *cls, struct MHD_Connection *connection, void **context,
                              enum MHD_ConnectionNotificationCode what)
{
    struct httpd *httpd = cls;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        struct peer *peer = httpd->adding;
        httpd->adding = NULL;
        peer->connection = connection;
        *context = peer;
        return;
    }
    peer_free(httpd, *context);
    *context = NULL;
}

static void engine_completed(void *cls, struct MHD_Connection *connection, void **context,
                             enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)why;
    peer_request_over(cls, requests_peer(connection));
}

bool engine_start(struct httpd *httpd)
{
    unsigned int flags =
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    httpd->engine =
        MHD_start_daemon(flags, 0, NULL, NULL, requests_handle, httpd,  /* */
                         MHD_OPTION_EXTERNAL_LOGGER, engine_log, httpd, /* first, to catch all */
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, /* */
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,    /* */
                         MHD_OPTION_CONNECTION_TIMEOUT, 0U, /* peers.c has deadlines */
                         MHD_OPTION_UNESCAPE_CALLBACK, engine_unescape, httpd,   /* */
                         MHD_OPTION_URI_LOG_CALLBACK, requests_line, httpd,      /* */
                         MHD_OPTION_NOTIFY_CONNECTION, engine_connection, httpd, /* */
                         MHD_OPTION_NOTIFY_COMPLETED, engine_completed, httpd, MHD_OPTION_END);
    if (httpd->engine == NULL) {
        log_error("libmicrohttpd does not start");
    }
    return httpd->engine != NULL;
}

static void engine_watch(struct httpd *httpd, bool wanted)
{
    if (httpd->engine_watched == wanted) {
        return;
    }
    int fd = MHD_get_daemon_info(httpd->engine, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    if (!wanted) {
        loop_unwatch(httpd, fd);
        httpd->engine_watched = false;
        return;
    }
    httpd->engine_watched = loop_watch(httpd, fd, &httpd->watch_engine, EPOLLIN);
}

static bool engine_has_more(struct httpd *httpd)
{
    MHD_UNSIGNED_LONG_LONG timeout = 0;
    return httpd->engine_pending ||
           (MHD_get_timeout(httpd->engine, &timeout) == MHD_YES && timeout == 0);
}

void engine_run(struct httpd *httpd)
{
    bool more = true;
    for (unsigned int i = 0; more && i < ROUNDS_MAX; i++) {
        httpd->engine_pending = false;
        (void)MHD_run(httpd->engine);
        more = engine_has_more(httpd);
    }
    httpd->engine_pending = more;
    engine_watch(httpd, httpd->n_in_engine > 0);
}

/* A suspended connection at MHD_stop_daemon() would abort the process: whatever is still asked for
 * is answered first. */
void engine_stop(struct httpd *httpd)
{
    peers_refuse_all(httpd, "the service is stopping");
    for (unsigned int i = 0; i < STOP_ROUNDS && engine_has_more(httpd); i++) {
        engine_run(httpd);
    }
    engine_watch(httpd, false);
    MHD_stop_daemon(httpd->engine);
    httpd->engine = NULL;
}
