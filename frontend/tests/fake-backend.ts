// A real HTTP server that answers what a test tells it to, and remembers what it was asked.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
}

type Reply = { status: number; body?: unknown; headers?: Record<string, string> };
type Handler = (asked: Asked) => Reply | Promise<Reply>;

const handlers = new Map<string, Handler>();
let asked: Asked[] = [];

const server = createServer(async (request, response) => {
  const call = await read(request);
  // jsdom keeps the origin it was made with, so its XMLHttpRequest takes this server for a foreign one.
  response.setHeader("access-control-allow-origin", call.headers.origin ?? "*");
  response.setHeader("access-control-allow-headers", "*, content-type, x-amz-meta-check");
  response.setHeader("access-control-allow-methods", "PUT");
  if (call.method === "OPTIONS") return write(response, { status: 204 });
  asked.push(call);
  const handler = handlers.get(`${call.method} ${call.path.split("?")[0]}`);
  const reply = await (handler?.(call) ?? problem(404, "not_found", "Not found."));
  write(response, reply);
});

export const backend = {
  start: async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  },
  stop: () => server.close(),
  reset: () => {
    handlers.clear();
    asked = [];
  },
  // `call` is a method and a path, such as "GET /api/jobs".
  on: (call: string, handler: Handler) => handlers.set(call, handler),
  asked: (call: string) => asked.filter(({ method, path }) => `${method} ${path}` === call),
  // The JSON bodies that a call was made with.
  told: (call: string) => backend.asked(call).map(({ body }): unknown => JSON.parse(body)),
};

export function problem(
  status: number,
  code: string,
  detail: string,
  errors?: { field: string; message: string }[],
): Reply {
  return { status, body: { status, code, title: code, detail, request_id: "req-123", errors } };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method = "", url = "", headers } = request;
  return { method, path: url, headers, body: Buffer.concat(chunks).toString() };
}

function write(response: ServerResponse, { status, body, headers }: Reply) {
  const always = { "content-type": "application/json", connection: "close" };
  response.writeHead(status, { ...always, ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
