/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls whose cost bench/kernel.ts measures. One command a line on standard input, one answer a line:
 *
 *   connect           opens a loopback TCP connection to itself          -> its listening port
 *   tcp LAPS          sends 256 bytes and receives them, 50 times a lap   -> ns a call
 *   getppid LAPS      getppid, 1,000 times a lap                          -> ns a call
 *   null LAPS         writes 200 bytes to /dev/null, 1,000 times a lap    -> ns a call
 *   carriers WHAT     has this thread look as if it ran a greenlet and a task: 1 -> address of the greenlet's type,
 *                     2 -> of the Context's, 3 -> pthread key of the thread state
 *
 * The first line it prints is its listening port. The argument is the CPU to stay on, -1 for any.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { k_message_bytes = 256, k_most_laps = 10000, k_tcp_calls = 100, k_other_calls = 1000 };

/* The thread's own CPU time: no call here waits, so it is the time of the calls, less what others took meanwhile. */
static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int listener = -1, near = -1, far = -1, sink = -1;

static void listen_on_loopback(struct sockaddr_in *address)
{
    socklen_t length = sizeof(*address);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)address, length) || listen(listener, 8) ||
        getsockname(listener, (struct sockaddr *)address, &length))
        fail("listen");
}

static void open_connection(const struct sockaddr_in *address)
{
    const int one = 1;
    if (near >= 0) {
        close(near);
        close(far);
    }
    near = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(near, (const struct sockaddr *)address, sizeof(*address)))
        fail("connect");
    far = accept(listener, NULL, NULL);
    if (far < 0)
        fail("accept");
    setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* One lap: `calls` calls, less than a time slice, so that most of them run undisturbed. */
static void lap_tcp(const long calls)
{
    static char message[k_message_bytes] = "GET /v2.1/servers HTTP/1.1\r\nHost: a\r\n\r\n", answer[4096];
    for (long i = 0; i < calls / 2; i++) {
        if (send(near, message, sizeof(message), 0) != sizeof(message) ||
            recv(far, answer, sizeof(answer), 0) != sizeof(message))
            fail("tcp");
    }
}

static void lap_getppid(const long calls)
{
    for (long i = 0; i < calls; i++)
        syscall(SYS_getppid);
}

static void lap_null(const long calls)
{
    static char message[200];
    for (long i = 0; i < calls; i++) {
        if (write(sink, message, sizeof(message)) < 0)
            fail("write");
    }
}

static int compare(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

/* ns a call: the lower quartile of the laps, which other processes' turns on this CPU do not reach. */
static double measure(void (*lap)(long), const long laps, const long calls)
{
    static double times[k_most_laps];
    const long count = laps < k_most_laps ? laps : k_most_laps;
    for (long i = 0; i < count; i++) {
        const double start = now_ns();
        lap(calls);
        times[i] = (now_ns() - start) / (double)calls;
    }
    qsort(times, (size_t)count, sizeof(*times), compare);
    return times[count / 4];
}

/* The only thread-local variable: the program's block is this and nothing else, as _greenlet.so's is. */
static __thread volatile struct {
    uint64_t guard;
    uint64_t state;
} greenlet_storage __attribute__((aligned(64)));

/* Read by the kernel side alone, hence volatile. As CPython 3.11 and greenlet lay them out; what the kernel side does not read is left out. */
static volatile uint64_t types[2];
static volatile struct {
    uint64_t references, type;
} main_greenlet, other_greenlet;
static volatile struct {
    volatile void *main, *current;
} greenlet_state = {&main_greenlet, &other_greenlet};
static volatile struct {
    uint64_t references, type, previous, variables, weak;
    uint32_t entered;
} context = {.entered = 1};
static volatile uint64_t thread_state[64];

static uint64_t pretend_carriers(const long what)
{
    static pthread_key_t key;
    if (!thread_state[0x98 / 8]) {
        pthread_key_create(&key, NULL);
        pthread_setspecific(key, (const void *)thread_state);
        thread_state[0x98 / 8] = (uint64_t)pthread_self();
        thread_state[0xe0 / 8] = (uint64_t)&context;
        main_greenlet.type = (uint64_t)&types[0];
        context.type = (uint64_t)&types[1];
        greenlet_storage.state = (uint64_t)&greenlet_state;
    }
    return what == 3 ? key : (uint64_t)&types[what == 2];
}

int main(int count, char **arguments)
{
    struct sockaddr_in address;
    char line[64], what[16];
    const int cpu = count > 1 ? atoi(arguments[1]) : -1;
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        sched_setaffinity(0, sizeof(set), &set);
    }
    listen_on_loopback(&address);
    sink = open("/dev/null", O_WRONLY);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%d\n", ntohs(address.sin_port));
    while (fgets(line, sizeof(line), stdin)) {
        long laps = 0;
        if (sscanf(line, "%15s %ld", what, &laps) < 1)
            continue;
        if (!strcmp(what, "connect")) {
            open_connection(&address);
            printf("%d\n", ntohs(address.sin_port));
        } else if (!strcmp(what, "tcp")) {
            printf("%.2f\n", measure(lap_tcp, laps, k_tcp_calls));
        } else if (!strcmp(what, "getppid")) {
            printf("%.2f\n", measure(lap_getppid, laps, k_other_calls));
        } else if (!strcmp(what, "null")) {
            printf("%.2f\n", measure(lap_null, laps, k_other_calls));
        } else if (!strcmp(what, "carriers")) {
            printf("%llu\n", (unsigned long long)pretend_carriers(laps));
        } else {
            fprintf(stderr, "calls: unknown command: %s\n", what);
            return 1;
        }
    }
    return 0;
}
