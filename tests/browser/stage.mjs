// A stage for the page: the server, a proxy before it, and a browser.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { chromium } from 'playwright-core';

/** Starts the server on a free port of 127.0.0.1, with more arguments; answers { port, stop }. */
export const startServer = (...more) => startServerAt('127.0.0.1:0', ...more);

/** The same at another address. */
export async function startServerAt(listen, ...more) {
  const server = spawn(process.env.SWAGIP, ['--listen', listen, ...more], { stdio: ['ignore', 'inherit', 'pipe'] });
  const exit = once(server, 'exit');
  // It says where it listens once it does; warnings may come before that.
  let said = '';
  let port;
  while (port === undefined) {
    const [bytes] = await Promise.race([once(server.stderr, 'data'), exit]);
    if (!Buffer.isBuffer(bytes)) throw new Error(`the server did not start: ${said}`);
    said += bytes;
    [, port] = /^listening on \S+:(\d+)/m.exec(said) ?? [];
  }
  server.stderr.pipe(process.stderr);
  const stop = async () => {
    server.kill('SIGKILL');
    await exit;
  };
  return { port: Number(port), stop };
}

/**
 * Starts a proxy that adds these lines to every request, byte by byte: what no browser would send by itself.
 * `lines` is a Buffer or a string, each line ending in CRLF. `at` is where it listens.
 */
export async function startProxy(target, lines, at = { host: '127.0.0.1', port: 0 }) {
  const proxy = net.createServer(client => {
    const server = net.connect(target, '127.0.0.1');
    client.on('data', bytes => {
      // A browser's request is small and comes in one piece, and it asks for one thing at a time.
      const behindRequestLine = bytes.indexOf('\r\n') + 2;
      server.write(Buffer.concat([bytes.subarray(0, behindRequestLine), Buffer.from(lines), bytes.subarray(behindRequestLine)]));
    });
    server.pipe(client);
    for (const [one, other] of [[client, server], [server, client]]) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  proxy.listen(at);
  await once(proxy, 'listening');
  return { port: proxy.address().port, stop: () => proxy.close() };
}

/**
 * Starts Chromium. `ip.example.org` and `www.example.net` are this machine: sites over plain HTTP, which `127.0.0.1` is not in a browser's eyes.
 * `names`: other names, with where each leads.
 */
export function startBrowser(names = {}) {
  const all = { 'ip.example.org': '127.0.0.1', 'www.example.net': '127.0.0.1', ...names };
  const rules = Object.entries(all).map(([name, to]) => `MAP ${name} ${to}`);
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-sync',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      `--host-resolver-rules=${rules.join(', ')}`,
    ],
  });
}

/** Opens a page in a context of its own, and notes whatever it asks for or complains about. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const seen = { requests: [], complaints: [] };
  context.on('request', request => seen.requests.push(request.url()));
  page.on('console', message => seen.complaints.push(message.text()));
  page.on('pageerror', error => seen.complaints.push(String(error)));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', violation => console.error(`policy: ${violation.blockedURI}`));
  });
  await page.goto(url);
  return { page, context, seen };
}
