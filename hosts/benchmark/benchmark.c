/* Measures the library in a directory, as host/examples/benchmark.rs does: benchmark DIRECTORY */

#include <queue_store.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CHUNK_BYTES = 64 << 10, CHUNKS = 400 };

static void check(int code)
{
    if (code != QS_OK) {
        fprintf(stderr, "benchmark: %s\n", qs_error_message());
        exit(1);
    }
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static const char line[] = "A line of text, which is about as long as lines of mail are.\r\n";
    static const char *const to[] = {"b@example.com"};
    static const qs_mail mail = {.sender = "a@example.com", .to = to, .to_count = 1};
    static char chunk[CHUNK_BYTES];
    const double megabytes = CHUNK_BYTES * CHUNKS / 1e6;
    double began = seconds();
    if (argc != 2)
        return 64;
    qs_queue *queue = NULL;
    for (size_t i = 0; i < CHUNK_BYTES; i++)
        chunk[i] = line[i % (sizeof line - 1)];
    check(qs_open(argv[1], &queue));
    check(qs_put(queue, &mail, chunk, 2048, NULL));
    double first = (seconds() - began) * 1e3;

    int puts = 0;
    for (began = seconds(); seconds() - began < 1; puts++)
        check(qs_put(queue, &mail, chunk, 2048, NULL));
    double rate = puts / (seconds() - began);

    char id[QS_ID_SIZE];
    qs_draft *draft = NULL;
    began = seconds();
    check(qs_draft_begin(queue, &mail, &draft));
    for (int i = 0; i < CHUNKS; i++)
        check(qs_draft_write(draft, chunk, CHUNK_BYTES));
    check(qs_draft_commit(draft, id));
    double streamed_in = megabytes / (seconds() - began);

    qs_body *body = NULL;
    size_t size = 1, length = 0;
    began = seconds();
    check(qs_body_open(queue, id, 0, &body));
    for (; size > 0; length += size)
        check(qs_body_read(body, chunk, CHUNK_BYTES, &size));
    double streamed_out = megabytes / (seconds() - began);
    qs_body_close(body);
    qs_close(queue);
    printf("%f %f %f %f\n", first, rate, streamed_in, streamed_out);
    return length == (size_t)CHUNK_BYTES * CHUNKS ? 0 : 1;
}
