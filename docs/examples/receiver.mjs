// A receiver of leads, after the text of Standard Webhooks 1.0.0 alone; no package is needed.
//
//   WEBHOOK_SECRET=whsec_… node receiver.mjs [PORT] [LEDGER]
//
// It listens on 127.0.0.1 and keeps what it accepted in LEDGER, a file with one event a line. Put it
// behind a server that speaks TLS, and put your own work where `handle` is.

import { createHmac, timingSafeEqual } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

const MAX_BODY = 100_000;
const TOLERANCE = 5 * 60; // seconds a timestamp may be off, so that nothing old can be replayed

const key = Buffer.from(process.env.WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
const port = Number(process.argv[2] ?? 8080);
const ledger = process.argv[3] ?? "events.jsonl";

const seen = new Set();
if (existsSync(ledger)) {
  for (const line of readFileSync(ledger, "utf8").split("\n")) {
    if (line) seen.add(JSON.parse(line).id);
  }
}

// Your own work. Be quick: what takes longer than the sender waits is sent again.
function handle(event) {
  console.log(event.type, event.data.inquiry_id, event.data.refers_to ?? "");
}

// Whether a message is genuine and fresh. The signature covers id, time and the bytes as they came.
function genuine(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = headers;
  if (!id || !/^\d+$/.test(timestamp ?? "") || !signatures) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE) return false;
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  return signatures.split(" ").some((candidate) => {
    const comma = candidate.indexOf(",");
    if (candidate.slice(0, comma) !== "v1") return false;
    const given = Buffer.from(candidate.slice(comma + 1), "base64");
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function status(request, body) {
  if (request.method !== "POST") return 405;
  if (!genuine(request.headers, body)) return 401;
  const id = request.headers["webhook-id"];
  if (seen.has(id)) return 204; // a repeat: it was accepted, so say that again
  const event = JSON.parse(body);
  appendFileSync(ledger, JSON.stringify({ id, event }) + "\n");
  seen.add(id);
  handle(event);
  return 204;
}

const server = createServer((request, response) => {
  const chunks = [];
  let size = 0;
  request.on("data", (chunk) => {
    size += chunk.length;
    if (size <= MAX_BODY) chunks.push(chunk);
  });
  request.on("end", () => {
    response.writeHead(size > MAX_BODY ? 413 : status(request, Buffer.concat(chunks)));
    response.end();
  });
});

server.listen(port, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
});
