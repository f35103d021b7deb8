/* SPDX-License-Identifier: Apache-2.0
 * Paths and methods. */
#include "http/route.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_fixed_paths(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum signing_route route;
    } rows[] = {
        {"/v1/health", ROUTE_HEALTH},
        {"/v1/profiles", ROUTE_PROFILES},
        {"/v1/keys", ROUTE_KEYS},
        {"/v1/jwks", ROUTE_JWKS},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct route route;
        assert_int_equal(route_find("GET", rows[i].path, &route), OUTCOME_OK);
        assert_int_equal(route.route, rows[i].route);
        assert_int_equal(route_find("POST", rows[i].path, &route), OUTCOME_METHOD);
        assert_string_equal(route.allow, "GET");
        assert_int_equal(route_find("HEAD", rows[i].path, &route), OUTCOME_METHOD);
        assert_int_equal(route_find("get", rows[i].path, &route), OUTCOME_METHOD);
    }
}

static void test_every_operation(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < OPERATION_COUNT; i++) {
        char path[64] = "/v1/";
        struct route route;
        strcat(path, operation_name((enum operation)i));
        assert_int_equal(route_find("POST", path, &route), OUTCOME_NOT_FOUND);
        strcat(path, "/op-jar_1.x");
        assert_int_equal(route_find("POST", path, &route), OUTCOME_OK);
        assert_int_equal(route.route, ROUTE_SIGN);
        assert_int_equal(route.operation, i);
        assert_true(span_is_text(route.name, "op-jar_1.x"));
        assert_int_equal(route_find("GET", path, &route), OUTCOME_METHOD);
        assert_string_equal(route.allow, "POST");
    }
}

static void test_named(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *method;
        enum signing_route route;
    } rows[] = {
        {"/v1/tls-signature/transport-1.x", "POST", ROUTE_TLS_SIGNATURE},
        {"/v1/keys/transport-1.x/certificate", "GET", ROUTE_CERTIFICATE},
        {"/v1/keys/transport-1.x/reference", "GET", ROUTE_REFERENCE},
        {"/v1/verify/detached-jws/transport-1.x", "POST", ROUTE_VERIFY_DETACHED_JWS},
        {"/v1/verify/id-token/transport-1.x", "POST", ROUTE_VERIFY_ID_TOKEN},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct route route;
        assert_int_equal(route_find(rows[i].method, rows[i].path, &route), OUTCOME_OK);
        assert_int_equal(route.route, rows[i].route);
        assert_true(span_is_text(route.name, "transport-1.x"));
        assert_int_equal(route_find("PUT", rows[i].path, &route), OUTCOME_METHOD);
        assert_string_equal(route.allow, rows[i].method);
    }
}

static void test_queries(void **state)
{
    (void)state;
    static const char thumbprint[] = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    static const char *const bad[] = {
        "",
        "kid",
        "kid=",
        "kid=abc",
        "KID=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        "kid=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs&",
        "kid=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xsx",
        "kid=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X%73",
        "kid=NzbLsXh8uDCcd+6MNwXF4W/7noWXFZAfHkxZsRGC9Xs",
        "x=1&kid=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    };
    struct route route;
    struct span kid;
    const char *detail = NULL;
    assert_int_equal(route_find("GET", "/v1/keys/a/certificate", &route), OUTCOME_OK);
    assert_int_equal(route_query(&route,
                                 span_of_text("kid=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
                                 &kid, &detail),
                     OUTCOME_OK);
    assert_true(span_is_text(kid, thumbprint));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(route_query(&route, span_of_text(bad[i]), &kid, &detail),
                         OUTCOME_MALFORMED);
        assert_string_equal(detail,
                            "the only query here is kid= and the RFC 7638 thumbprint of a key");
    }
    static const char *const others[] = {"/v1/keys/a/reference", "/v1/keys", "/v1/health"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(route_find("GET", others[i], &route), OUTCOME_OK);
        assert_int_equal(
            route_query(&route, span_of_text("kid=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
                        &kid, &detail),
            OUTCOME_MALFORMED);
        assert_string_equal(detail, "this path takes no query");
    }
}

static void test_nothing_else(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",
        "/",
        "*",
        "/v1",
        "/v1/",
        "/v1/jar",
        "/v1/jar/",
        "/v1/jar//",
        "/v1/jar/a/",
        "/v1/jar/a/b",
        "/v1//a",
        "/v1/jar/A",
        "/v1/jar/.a",
        "/v1/jar/..",
        "/v1/jar/%61",
        "/v1/jar/a b",
        "/v1/JAR/a",
        "//v1/health",
        "/v1/health/",
        "/v1/../v1/health",
        "/v2/health",
        "v1/health",
        "http://localhost/v1/health",
        "/v1/tls-signature/",
        "/v1/tls-signature/.a",
        "/v1/tls-signature/a/",
        "/v1/tls-signature/a/b",
        "/v1/keys/",
        "/v1/keys/a",
        "/v1/keys/a/",
        "/v1/keys/certificate",
        "/v1/keys//certificate",
        "/v1/keys/a/b/certificate",
        "/v1/keys/a/certificate/",
        "/v1/keys/%61/certificate",
        "/v1/jar/a123456789b123456789c123456789d123456789e123456789f1234567890123",
    };
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct route route;
        assert_int_equal(route_find("GET", paths[i], &route), OUTCOME_NOT_FOUND);
        assert_int_equal(route_find("POST", paths[i], &route), OUTCOME_NOT_FOUND);
        assert_null(route.allow);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_paths),  cmocka_unit_test(test_every_operation),
        cmocka_unit_test(test_named),        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
