/* A queue in the database QUEUE_STORE_DATABASE, and URLs that name none: database [URL] */

#include <queue_store.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition) check((condition) != 0, #condition, __LINE__)
#define CODE(expected, call) check((expected) == (call), #call, __LINE__)

static void check(int holds, const char *condition, int line)
{
    if (!holds) {
        fprintf(stderr, "line %d: %s (%s)\n", line, condition, qs_error_message());
        exit(1);
    }
}

static const char *const TO[] = {"b@example.com"};

static void test_errors(void)
{
    static const struct {
        int code;
        const char *url;
    } urls[] = {
        {QS_IO, "postgres://q:secret@127.0.0.1:1/mail?timeout=1"},
        {QS_INVALID_ARGUMENT, "postgres://q:p@secret@127.0.0.1:1/mail?timeout=1"},
        {QS_INVALID_ARGUMENT, "postgres://q:secret@127.0.0.1:x/mail"},
        {QS_INVALID_ARGUMENT, "postgres://q:secret\xff@127.0.0.1:1/mail"},
        {QS_INVALID_ARGUMENT, "postgres:/q:secret@127.0.0.1:1/mail"},
        {QS_INVALID_ARGUMENT, "mysql://q:secret@127.0.0.1:1/mail"},
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        qs_queue *queue = NULL;
        CODE(urls[i].code, qs_open(urls[i].url, &queue));
        CHECK(queue == NULL && qs_error_message()[0] != 0 && strstr(qs_error_message(), "secret") == NULL);
    }
}

static void wait_for(pid_t child)
{
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Closing what a child inherited waits for no thread of the parent. */
static void test_fork(const char *url)
{
    qs_queue *queue = NULL, *own = NULL;
    qs_mail mail = {.sender = "a@example.com", .to = TO, .to_count = 1};
    CODE(QS_OK, qs_open(url, &queue));
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        CODE(QS_FORKED, qs_put(queue, &mail, "", 0, NULL));
        qs_close(queue);
        CODE(QS_OK, qs_open(url, &own));
        mail.id = "child";
        CODE(QS_OK, qs_put(own, &mail, "child", 5, NULL));
        _exit(0);
    }
    wait_for(child);
    mail.id = "child";
    CODE(QS_EXISTS, qs_put(queue, &mail, "", 0, NULL));
    CODE(QS_OK, qs_remove(queue, "child"));
    CODE(QS_NOT_FOUND, qs_remove(queue, "child"));
    qs_close(queue);
}

/* Takes a table of the database away, or gives it back: what reads it fails in between. */
static void rename_table(const char *table, const char *name)
{
    char command[200];
    snprintf(command, sizeof command,
             "psql --quiet \"$QUEUE_STORE_DATABASE\" --command 'ALTER TABLE queue_store.%s RENAME TO %s'", table, name);
    CHECK(system(command) == 0);
}

/* A list that failed is not taken for the whole. */
static void test_list(const char *url)
{
    qs_queue *queue = NULL;
    qs_list *list = NULL;
    qs_entry entry;
    const qs_mail mail = {.sender = "a@example.com", .to = TO, .to_count = 1, .id = "listed"};
    CODE(QS_OK, qs_open(url, &queue));
    CODE(QS_OK, qs_put(queue, &mail, "", 0, NULL));
    CODE(QS_OK, qs_list_open(queue, &list));
    rename_table("item", "renamed");
    int code = qs_list_next(list, &entry);
    rename_table("renamed", "item");
    CHECK(code != QS_OK);
    CODE(QS_ABORTED, qs_list_next(list, &entry));
    qs_list_close(list);
    CODE(QS_OK, qs_remove(queue, "listed"));
    qs_close(queue);
}

int main(int argc, char **argv)
{
    test_errors();
    if (argc == 2) {
        test_fork(argv[1]);
        test_list(argv[1]);
    }
    return 0;
}
