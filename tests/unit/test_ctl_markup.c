/* SPDX-License-Identifier: Apache-2.0
 * No text becomes markup. */
#include "ctl/markup.h"

#include "check.h"

static void texts_stay_texts(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(1000);
    markup_put(&out, "CN=<script>alert('1')</script>&\"Müller\"");
    markup_put(&out, "\x1b\n]]>");
    assert_string_equal(buffer_text(&out),
                        "CN=&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;Müller&quot;"
                        "&lt;U+001B&gt;&lt;U+000A&gt;]]&gt;");
}

static void what_has_no_room_fails(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(3);
    markup_put(&out, "abc");
    assert_true(buffer_ok(&out));
    markup_put(&out, "&");
    assert_false(buffer_ok(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_stay_texts),
        cmocka_unit_test(what_has_no_room_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
