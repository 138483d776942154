// A plugin: checks a mail, adds a Received field, and queues it.

import { submit } from "mail:queue/intake@0.1.0";

const ascii = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));

export const filter = {
  receive({ helo, ip }, reversePath, to, message) {
    if (to.length === 0) {
      throw "554 no valid recipients";
    }
    const text = Array.from(message, (byte) => String.fromCharCode(byte)).join("");
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      throw "554 no header";
    }
    if (!/^from:/im.test(text.slice(0, end))) {
      throw "554 no From field";
    }
    const date = new Date().toUTCString().replace("GMT", "+0000");
    const received = ascii(`Received: from ${helo} ([${ip}])\r\n\tby mx.example.com; ${date}\r\n`);
    const body = new Uint8Array(received.length + message.length);
    body.set(received);
    body.set(message, received.length);
    try {
      return submit(reversePath, to, body);
    } catch (error) {
      throw `451 ${error.payload?.code}: ${error.payload?.detail ?? error}`;
    }
  },
};
