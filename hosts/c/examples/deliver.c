/* Prints every mail that is ready, and removes it: deliver DIRECTORY */

#include <queue_store.h>
#include <stdio.h>

static int print_body(qs_queue *queue, const char *id)
{
    char buffer[65536];
    size_t size = 0;
    qs_body *body = NULL;

    int code = qs_body_open(queue, id, 0, &body);
    if (code != QS_OK)
        return code;
    while ((code = qs_body_read(body, buffer, sizeof buffer, &size)) == QS_OK && size > 0 && !ferror(stdout))
        fwrite(buffer, 1, size, stdout);
    qs_body_close(body);
    return code; /* QS_OK: it was intact to its end, unless the output failed. */
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: deliver DIRECTORY\n");
        return 64;
    }
    qs_queue *queue = NULL;
    qs_list *list = NULL;
    qs_entry item;
    int failed = 0;

    int code = qs_open(argv[1], &queue);
    if (code == QS_OK)
        code = qs_list_open(queue, &list);
    while (code == QS_OK && (code = qs_list_next(list, &item)) == QS_OK && item.id != NULL) {
        if (item.problem != QS_OK) {
            fprintf(stderr, "deliver: %s\n", item.message);
            failed = 1;
            continue;
        }
        if (item.state != QS_READY)
            continue;
        printf("%s from %s", item.id, item.sender);
        for (size_t i = 0; i < item.recipient_count; i++)
            printf(" to %s", item.recipients[i].address);
        printf("\n");
        code = print_body(queue, item.id);
        if (fflush(stdout) != 0 || ferror(stdout)) {
            fprintf(stderr, "deliver: standard output failed; %s stays queued\n", item.id);
            failed = 1;
            break;
        }
        if (code == QS_OK)
            code = qs_remove(queue, item.id);
    }
    if (code != QS_OK)
        fprintf(stderr, "deliver: %s\n", qs_error_message());
    qs_list_close(list);
    qs_close(queue);
    return code != QS_OK || failed;
}
