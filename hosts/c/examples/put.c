/* Queues the mail on standard input: put DIRECTORY SENDER RECIPIENT... */

#include <queue_store.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: put DIRECTORY SENDER RECIPIENT...\n");
        return 64;
    }
    qs_mail mail = {.sender = argv[2], .to = (const char *const *)&argv[3], .to_count = (size_t)argc - 3};
    qs_queue *queue = NULL;
    qs_draft *draft = NULL;
    char id[QS_ID_SIZE], buffer[65536];
    size_t size;

    int code = qs_open(argv[1], &queue);
    if (code == QS_OK)
        code = qs_draft_begin(queue, &mail, &draft);
    while (code == QS_OK && (size = fread(buffer, 1, sizeof buffer, stdin)) > 0)
        code = qs_draft_write(draft, buffer, size);
    if (code == QS_OK && !ferror(stdin)) {
        code = qs_draft_commit(draft, id); /* The mail survives power loss from here on. */
        draft = NULL;
    }
    if (code != QS_OK)
        fprintf(stderr, "put: %s\n", qs_error_message());
    else if (ferror(stdin))
        perror("put: standard input");
    else
        puts(id);
    code = code != QS_OK || ferror(stdin);
    qs_draft_abandon(draft);
    qs_close(queue);
    return code;
}
