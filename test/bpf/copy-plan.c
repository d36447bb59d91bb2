/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The pure functions of bpf/lib/copy_plan.h on the host: one question a line, one answer a line. */
#include <stdio.h>
#include <string.h>

#include "../../bpf/lib/copy_plan.h"

int main(void)
{
    char what[32];
    unsigned a, b, c, d;
    while (scanf("%31s %u %u %u %u", what, &a, &b, &c, &d) == 5) {
        if (!strcmp(what, "plan")) {
            const struct copy_plan plan = plan_copy(a, b, c);
            printf("%u %u\n", plan.head, plan.tail);
        } else if (!strcmp(what, "position")) {
            printf("%u\n", position_before(a, b, c, d));
        } else if (!strcmp(what, "opened")) {
            printf("%u\n", counts_syn(a, b, c, d));
        } else {
            return 1;
        }
    }
    return 0;
}
