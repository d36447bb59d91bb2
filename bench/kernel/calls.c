/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls whose cost bench/kernel.ts measures. One command a line on standard input, one answer a line:
 *
 *   connect           opens a loopback TCP connection to itself   -> its listening port
 *   tcp N             N times send 256 bytes and receive them     -> ns a call (2N calls)
 *   getppid N, null N N times getppid, write to /dev/null         -> ns a call
 *
 * The first line it prints is its listening port. The argument is the CPU to stay on, -1 for any.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { k_message_bytes = 256 };

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

static int listener = -1, near = -1, far = -1;

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

static double run_tcp(const long rounds)
{
    static char message[k_message_bytes] = "GET /v2.1/servers HTTP/1.1\r\nHost: a\r\n\r\n", answer[4096];
    const double start = now_ns();
    for (long i = 0; i < rounds; i++) {
        if (send(near, message, sizeof(message), 0) != sizeof(message) ||
            recv(far, answer, sizeof(answer), 0) != sizeof(message))
            fail("tcp");
    }
    return (now_ns() - start) / (double)rounds / 2;
}

static double run_getppid(const long rounds)
{
    const double start = now_ns();
    for (long i = 0; i < rounds; i++)
        syscall(SYS_getppid);
    return (now_ns() - start) / (double)rounds;
}

static double run_null(const long rounds)
{
    static char message[200];
    const int descriptor = open("/dev/null", O_WRONLY);
    const double start = now_ns();
    for (long i = 0; i < rounds; i++) {
        if (write(descriptor, message, sizeof(message)) < 0)
            fail("write");
    }
    const double taken = (now_ns() - start) / (double)rounds;
    close(descriptor);
    return taken;
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
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%d\n", ntohs(address.sin_port));
    while (fgets(line, sizeof(line), stdin)) {
        long rounds = 0;
        if (sscanf(line, "%15s %ld", what, &rounds) < 1)
            continue;
        if (!strcmp(what, "connect")) {
            open_connection(&address);
            printf("%d\n", ntohs(address.sin_port));
        } else if (!strcmp(what, "tcp")) {
            printf("%.2f\n", run_tcp(rounds));
        } else if (!strcmp(what, "getppid")) {
            printf("%.2f\n", run_getppid(rounds));
        } else if (!strcmp(what, "null")) {
            printf("%.2f\n", run_null(rounds));
        } else {
            fprintf(stderr, "calls: unknown command: %s\n", what);
            return 1;
        }
    }
    return 0;
}
