/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves one message over one connection of its own by the calls that its arguments name, for live.test.ts:
 *
 *   socket-calls tcp4|tcp6|mapped|unix|pair SEND RECEIVE
 *
 * SEND: write send writev sendmsg sendmmsg pwritev2 sendfile splice compat iouring
 * RECEIVE: read recv readv recvmsg recvmmsg preadv2 peek
 *
 * The message is 600 bytes, "0000 0001 0002 ...". Scattered calls use three segments of 10, 290 and 300 bytes.
 * sendmmsg sends it as two messages of 300; recvmmsg receives up to two of up to 300. Ends with status 0 when
 * everything arrived, 3 when this kernel lacks the call.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { k_bytes = 600, k_first = 10, k_second = 290, k_third = 300, k_half = 300 };

static char message[k_bytes + 8], answer[k_bytes];

static void fail(const char *what)
{
    perror(what);
    exit(errno == ENOSYS || errno == EPERM ? 3 : 1);
}

static void open_pair(const char *transport, int ends[2])
{
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof(storage);
    int family = AF_INET;
    if (!strcmp(transport, "pair")) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
            fail("socketpair");
        return;
    }
    if (!strcmp(transport, "unix")) {
        struct sockaddr_un *address = (struct sockaddr_un *)&storage;
        family = address->sun_family = AF_UNIX;
        /* An abstract name: nothing to clean up. */
        length = offsetof(struct sockaddr_un, sun_path) + 1 +
                 snprintf(address->sun_path + 1, 60, "ghostspan-test-%d", getpid());
    } else if (!strcmp(transport, "tcp4")) {
        struct sockaddr_in *address = (struct sockaddr_in *)&storage;
        address->sin_family = AF_INET;
        address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        length = sizeof(*address);
    } else {
        struct sockaddr_in6 *address = (struct sockaddr_in6 *)&storage;
        family = address->sin6_family = AF_INET6;
        inet_pton(AF_INET6, !strcmp(transport, "mapped") ? "::ffff:127.0.0.1" : "::1", &address->sin6_addr);
        length = sizeof(*address);
    }
    const int listener = socket(family, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&storage, length) || listen(listener, 4))
        fail("listen");
    if (family != AF_UNIX && getsockname(listener, (struct sockaddr *)&storage, &length))
        fail("getsockname");
    ends[0] = socket(family, SOCK_STREAM, 0);
    if (connect(ends[0], (struct sockaddr *)&storage, length))
        fail("connect");
    ends[1] = accept(listener, NULL, NULL);
    if (ends[1] < 0)
        fail("accept");
    close(listener);
}

static void scatter(char *bytes, struct iovec segments[3])
{
    segments[0] = (struct iovec){bytes, k_first};
    segments[1] = (struct iovec){bytes + k_first, k_second};
    segments[2] = (struct iovec){bytes + k_first + k_second, k_third};
}

static void halve(char *bytes, struct iovec segments[2], struct mmsghdr messages[2])
{
    memset(messages, 0, 2 * sizeof(*messages));
    for (int i = 0; i < 2; i++) {
        segments[i] = (struct iovec){bytes + i * k_half, k_half};
        messages[i].msg_hdr.msg_iov = &segments[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
}

static int message_file(void)
{
    const int file = memfd_create("message", 0);
    if (file < 0 || write(file, message, k_bytes) != k_bytes || lseek(file, 0, SEEK_SET))
        fail("memfd_create");
    return file;
}

static long splice_through(const int from, const int to, const size_t bytes)
{
    int pipe_ends[2];
    if (pipe(pipe_ends))
        fail("pipe");
    const long moved = splice(from, NULL, pipe_ends[1], NULL, bytes, 0);
    const long out = moved <= 0 ? moved : splice(pipe_ends[0], NULL, to, NULL, moved, 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return out;
}

/* write() by the 32-bit system call table, as a 32-bit process would. */
static long compat_write(const int descriptor)
{
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    long result;
    if (low == MAP_FAILED)
        fail("mmap");
    memcpy(low, message, k_bytes);
    __asm__ volatile("int $0x80" : "=a"(result) : "0"(4L), "b"((long)descriptor), "c"(low), "d"((long)k_bytes) : "memory");
    errno = result == -ENOSYS || result == -EFAULT ? ENOSYS : 0;
    return result;
}

static long ring_send(const int descriptor)
{
    struct io_uring_params parameters = {0};
    const int ring = (int)syscall(__NR_io_uring_setup, 4, &parameters);
    if (ring < 0)
        fail("io_uring_setup");
    char *queue = mmap(NULL, parameters.sq_off.array + 4 * sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
                       IORING_OFF_SQ_RING);
    struct io_uring_sqe *entries = mmap(NULL, 4 * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
                                        IORING_OFF_SQES);
    if (queue == MAP_FAILED || entries == MAP_FAILED)
        fail("mmap");
    memset(&entries[0], 0, sizeof(entries[0]));
    entries[0].opcode = IORING_OP_SEND;
    entries[0].fd = descriptor;
    entries[0].addr = (unsigned long)message;
    entries[0].len = k_bytes;
    *(unsigned *)(queue + parameters.sq_off.array) = 0;
    __atomic_store_n((unsigned *)(queue + parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (syscall(__NR_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
        fail("io_uring_enter");
    return k_bytes;
}

static long send_by(const char *call, const int to)
{
    struct iovec segments[3];
    struct mmsghdr messages[2];
    scatter(message, segments);
    if (!strcmp(call, "write"))
        return write(to, message, k_bytes);
    if (!strcmp(call, "send"))
        return send(to, message, k_bytes, 0);
    if (!strcmp(call, "writev"))
        return writev(to, segments, 3);
    if (!strcmp(call, "pwritev2"))
        return pwritev2(to, segments, 3, -1, 0);
    if (!strcmp(call, "sendmsg"))
        return sendmsg(to, &(struct msghdr){.msg_iov = segments, .msg_iovlen = 3}, 0);
    if (!strcmp(call, "sendmmsg")) {
        halve(message, segments, messages);
        return sendmmsg(to, messages, 2, 0) == 2 ? k_bytes : -1;
    }
    if (!strcmp(call, "sendfile"))
        return sendfile(to, message_file(), NULL, k_bytes);
    if (!strcmp(call, "splice"))
        return splice_through(message_file(), to, k_bytes);
    if (!strcmp(call, "compat"))
        return compat_write(to);
    if (!strcmp(call, "iouring"))
        return ring_send(to);
    fprintf(stderr, "socket-calls: unknown call %s\n", call);
    exit(2);
}

static long receive_by(const char *call, const int from)
{
    struct iovec segments[3];
    struct mmsghdr messages[2];
    scatter(answer, segments);
    if (!strcmp(call, "read"))
        return read(from, answer, sizeof(answer));
    if (!strcmp(call, "recv"))
        return recv(from, answer, sizeof(answer), MSG_WAITALL);
    if (!strcmp(call, "peek")) {
        if (recv(from, answer, sizeof(answer), MSG_PEEK | MSG_WAITALL) != k_bytes)
            fail("peek");
        return recv(from, answer, sizeof(answer), 0);
    }
    if (!strcmp(call, "readv"))
        return readv(from, segments, 3);
    if (!strcmp(call, "preadv2"))
        return preadv2(from, segments, 3, -1, 0);
    if (!strcmp(call, "recvmsg"))
        return recvmsg(from, &(struct msghdr){.msg_iov = segments, .msg_iovlen = 3}, 0);
    if (!strcmp(call, "recvmmsg")) {
        halve(answer, segments, messages);
        return recvmmsg(from, messages, 2, MSG_WAITALL, NULL) == 2 ? k_bytes : -1;
    }
    fprintf(stderr, "socket-calls: unknown call %s\n", call);
    exit(2);
}

int main(int count, char **arguments)
{
    int ends[2];
    if (count != 4)
        return 2;
    for (int i = 0; i < k_bytes; i += 5)
        snprintf(message + i, 6, "%04d ", i / 5);
    open_pair(arguments[1], ends);
    if (send_by(arguments[2], ends[0]) != k_bytes)
        fail(arguments[2]);
    long got = 0;
    while (got < k_bytes) {
        const long more = receive_by(arguments[3], ends[1]);
        if (more <= 0)
            fail(arguments[3]);
        got += more;
    }
    if (got != k_bytes || memcmp(message, answer, k_bytes))
        return 1;
    close(ends[0]);
    if (read(ends[1], answer, sizeof(answer)) != 0)
        return 1;
    return 0;
}
