// What scripts of another site get: over plain HTTP, from one host name to another.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { open, startBrowser, startServer } from './stage.mjs';

let server, site, browser, page, context, swagip;

before(async () => {
  server = await startServer('--explain');
  site = http.createServer((request, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>a site</title>'));
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  browser = await startBrowser();
  swagip = `http://ip.example.org:${server.port}`;
  // Neither is localhost, to which browsers give the rights of HTTPS.
  ({ page, context } = await open(browser, `http://www.example.net:${site.address().port}/`));
});

after(async () => {
  await context?.close();
  await browser?.close();
  site?.close();
  site?.closeAllConnections();
  await server?.stop();
});

/** What a script of the site gets: status, type and text, or the name of the error. */
const get = (path, options) =>
  page.evaluate(
    ([url, options]) =>
      fetch(url, options).then(
        async response => [response.status, response.headers.get('Content-Type'), await response.text()],
        error => error.name,
      ),
    [swagip + path, options],
  );

const TEXT = 'text/plain; charset=utf-8';
const ADDRESS = [200, TEXT, '127.0.0.1\n'];

describe('a script of another site over plain HTTP', () => {
  test('gets the address, though nothing but Accept tells that it is one', async () => {
    const [request, answer] = await Promise.all([page.waitForRequest(`${swagip}/`), get('/')]);
    assert.deepEqual(answer, ADDRESS);
    const { accept, origin, 'user-agent': agent, 'sec-fetch-dest': destination } = await request.allHeaders();
    assert.deepEqual([accept, new URL(origin).hostname, destination], ['*/*', 'www.example.net', undefined]);
    assert.match(agent, /^Mozilla\//);
  });

  test('gets it with XMLHttpRequest', async () => {
    const text = await page.evaluate(url => {
      const request = new XMLHttpRequest();
      return new Promise((resolve, reject) => {
        request.onload = () => resolve(request.responseText);
        request.onerror = () => reject(new Error('no answer'));
        request.open('GET', url);
        request.send();
      });
    }, `${swagip}/`);
    assert.equal(text, '127.0.0.1\n');
  });

  test('gets JSON for asking', async () => {
    const [status, type, text] = await get('/', { headers: { Accept: 'application/json' } });
    assert.deepEqual([status, type, JSON.parse(text).ip], [200, 'application/json', '127.0.0.1']);
  });

  test('gets what any origin may read, after a preflight too', async () => {
    assert.deepEqual(await get('/ip'), ADDRESS);
    assert.deepEqual(await get('/ip', { headers: { 'X-Own': 'a' } }), ADDRESS);
    assert.deepEqual(await get('/health'), [200, TEXT, 'ok\n']);
    assert.equal((await get('/json'))[1], 'application/json');
  });

  test('gets nothing else', async () => {
    for (const path of ['/all', '/headers', '/user-agent', '/headers/ip', '/explain', '/nothing', '/?format=html', '/openapi.json']) {
      assert.equal(await get(path), 'TypeError', path);
      assert.equal(await get(path, { headers: { 'X-Own': 'a' } }), 'TypeError', `${path} after a preflight`);
      // The kind of request that images and scripts make: not even unseen.
      assert.equal(await get(path, { mode: 'no-cors' }), 'TypeError', `${path} unseen`);
    }
    assert.deepEqual(await get('/ip', { mode: 'no-cors' }), [0, null, '']);
  });

  test('cannot embed anything', async () => {
    const load = (tag, path) =>
      page.evaluate(
        ([tag, url]) =>
          new Promise(resolve => {
            const element = document.createElement(tag);
            element.onload = () => resolve('load');
            element.onerror = () => resolve('error');
            element.src = url;
            document.head.append(element);
          }),
        [tag, swagip + path],
      );
    assert.equal(await load('img', '/favicon.ico'), 'error');
    assert.equal(await load('script', '/all'), 'error');
  });
});

test('a script of the same site reads everything', async () => {
  const { page, context } = await open(browser, `${swagip}/json`);
  const all = await page.evaluate(() => fetch('/all').then(response => response.json()));
  assert.equal(all['Source-IP'], '127.0.0.1');
  assert.equal(await page.evaluate(() => fetch('/favicon.ico').then(response => response.status)), 200);
  await context.close();
});
