/* SPDX-License-Identifier: Apache-2.0
 * qseal-httpd when libmicrohttpd hears of a caller's bytes later than the loop (late_engine.c). */
#include "httpd_rig.h"

#include "base/fd.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct door_settings usual = {RIG_USUAL, .connections = 8};

/* A head may take longer than any wait here: its deadline helps nobody. */
static void start(struct rig *rig)
{
    struct door_settings settings = usual;
    settings.head_ms = 4 * RIG_WAIT_MS;
    settings.body_ms = 4 * RIG_WAIT_MS;
    assert_int_equal(setenv("LD_PRELOAD", QSEAL_LATE_ENGINE, 1), 0);
    rig_start(rig, &settings);
    assert_int_equal(unsetenv("LD_PRELOAD"), 0);
}

static void test_head_that_is_heard_late(void **state)
{
    (void)state;
    enum { REQUESTS = 3 };
    struct rig rig;
    start(&rig);
    struct client client = rig_caller(&rig, 1000, 8);
    int lane = -1;
    for (int i = 0; i < REQUESTS; i++) {
        client_send(&client, get);
        lane = lane < 0 ? rig_accept(&rig) : lane;
        rig_answer_next(lane, 0, "{}");
        client_expect_json(&client, "{}");
    }
    fd_close(&lane);
    fd_close(&client.fd);
    rig_stop(&rig);
}

/* The first part is with the library when the answer to the request before it has come. */
static void test_rest_that_is_heard_late(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    struct client client = rig_caller(&rig, 1000, 8);
    client_send(&client, "GET /v1/keys HTTP/1.1\r\nHost: x\r\n\r\n"
                         "POST /v1/jar/op-jar-cof HTTP/1.1\r\nHost: x\r\n"
                         "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\"");
    int lane = rig_accept(&rig);
    rig_answer_next(lane, 0, "{}");
    client_expect_json(&client, "{}");
    client_send(&client, ":1}");
    rig_answer_next(lane, 0, "{}");
    client_expect_json(&client, "{}");
    fd_close(&lane);
    fd_close(&client.fd);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_that_is_heard_late),
        cmocka_unit_test(test_rest_that_is_heard_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
