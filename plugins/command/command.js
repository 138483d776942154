// A plugin that is a command: reads a mail from standard input, adds a field, and queues it.

import { Submission } from "mail:queue/intake@0.1.0";
import { getArguments } from "wasi:cli/environment@0.2.0";
import { getStderr } from "wasi:cli/stderr@0.2.0";
import { getStdin } from "wasi:cli/stdin@0.2.0";
import { getStdout } from "wasi:cli/stdout@0.2.0";

const ascii = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));

function submit(reversePath, to) {
  const submission = Submission.begin(reversePath, to);
  submission.write(ascii("X-Checked: yes\r\n"));
  const stdin = getStdin();
  try {
    for (;;) {
      submission.write(stdin.blockingRead(65536));
    }
  } catch (error) {
    if (error.payload?.tag !== "closed") {
      throw error;
    }
  }
  return Submission.commit(submission);
}

export const run = {
  run() {
    const [, reversePath, ...to] = getArguments();
    try {
      getStdout().blockingWriteAndFlush(ascii(`${submit(reversePath, to)}\n`));
    } catch (error) {
      getStderr().blockingWriteAndFlush(ascii(`${error.payload?.detail ?? error}\n`));
      throw error;
    }
  },
};
