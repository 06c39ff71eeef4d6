// Both addresses of a client: names that lead to this machine by one family alone, and such as lead nowhere.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { open, startBrowser, startServerAt } from './stage.mjs';

const V4 = 'v4.example.org';
const V6 = 'v6.example.org';
/** Lead by IPv6 to somebody who says nothing, to nobody, nowhere, and by IPv4. */
const OTHERS = ['silent.example.org', 'closed.example.org', 'unknown.example.org', 'wrong.example.org'];

const servers = {};
let browser, silent;

before(async () => {
  silent = net.createServer(socket => socket.on('error', () => {}));
  silent.listen(0, '::1');
  const gone = net.createServer().listen(0, '::1');
  await Promise.all([once(silent, 'listening'), once(gone, 'listening')]);
  const closed = `[::1]:${gone.address().port}`;
  gone.close();
  for (const name of [V6, ...OTHERS]) servers[name] = await startServerAt('[::]:0', '--site-host-ipv4', V4, '--site-host-ipv6', name);
  const [SILENT, CLOSED, UNKNOWN, WRONG] = OTHERS;
  browser = await startBrowser({
    [V4]: '127.0.0.1',
    [V6]: '[::1]',
    [SILENT]: `[::1]:${silent.address().port}`,
    [CLOSED]: closed,
    [UNKNOWN]: '~NOTFOUND',
    [WRONG]: '127.0.0.1',
  });
});

after(async () => {
  await browser?.close();
  silent?.close();
  for (const server of Object.values(servers)) await server.stop();
});

/** Opens the page of the server whose name for IPv6 is `name`, by the name `by`. */
async function visit({ name = V6, by = V4, ...options }, look) {
  const { port } = servers[name];
  const { page, context, seen } = await open(browser, 'about:blank', options);
  // When the script began to wait, and when it has said something.
  await page.addInitScript(() => {
    const { timeout } = AbortSignal;
    AbortSignal.timeout = time => {
      window.waitBegan = performance.now();
      return timeout.call(AbortSignal, time);
    };
    addEventListener('DOMContentLoaded', () => {
      const line = document.getElementById('other');
      new MutationObserver(() => { window.waitEnded ??= performance.now() }).observe(line, { childList: true });
    });
  });
  await page.goto(`http://${by}:${port}/`);
  try {
    await look(page, seen, port);
  } finally {
    await context.close();
  }
}

/** The results of the table's rows for the two families. */
const cells = page =>
  page.locator('tbody:first-of-type tr').evaluateAll(rows => rows.map(row => row.querySelector('td').textContent));

describe('both addresses are shown', () => {
  for (const [by, other, own, found] of [[V4, V6, '127.0.0.1', '::1'], [V6, V4, '::1', '127.0.0.1']]) {
    test(`to whoever comes by ${by}`, () =>
      visit({ by }, async (page, seen, port) => {
        await page.locator('#other strong').waitFor();
        assert.equal(await page.locator('#ip').innerText(), own);
        assert.equal(await page.locator('#other strong').innerText(), found);
        assert.deepEqual(await cells(page), ['127.0.0.1', '::1']);
        await page.getByRole('button', { name: `Copy ${found}` }).click();
        await page.getByText(`Copied ${found}`).waitFor();
        assert.deepEqual(seen.complaints, []);
        const elsewhere = seen.requests.filter(request => !request.startsWith(`http://${by}:${port}/`));
        assert.deepEqual(elsewhere, [`http://${other}:${port}/ip`]);
        assert.equal(await page.locator('.ask').count(), 0);
      }));
  }

  test('at 320 px', () =>
    visit({ by: V6, viewport: { width: 320, height: 640 } }, async page => {
      await page.locator('#other strong').waitFor();
      const reaches = await page.locator('body *:visible').evaluateAll(elements =>
        Math.max(...elements.filter(element => element.tagName !== 'INPUT').map(element => element.getBoundingClientRect().right)));
      assert(reaches <= 320, `${reaches} px`);
    }));

  test('and axe finds nothing', () =>
    visit({}, async page => {
      await page.locator('#other strong').waitFor();
      await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
      const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
      const { violations } = await page.evaluate(values => window.axe.run({ runOnly: { type: 'tag', values } }), values);
      assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target)]), []);
    }));

  test('with commands for each', () =>
    visit({}, async (page, seen, port) => {
      await page.getByRole('tab', { name: 'Curl' }).click();
      const commands = await page.locator('tbody:first-of-type code').evaluateAll(codes => codes.map(code => code.innerText));
      assert.deepEqual(commands, [`curl -4 ${V4}:${port}/`, `curl -6 ${V6}:${port}/`]);
    }));
});

test('without JavaScript a link leads to the other one', () =>
  visit({ javaScriptEnabled: false }, async (page, seen, port) => {
    const link = page.locator('#other').getByRole('link', { name: `ask ${V6}` });
    assert.match(await page.locator('#other').innerText(), /^Your IPv6 address:/);
    await link.click();
    await page.waitForURL(`http://${V6}:${port}/ip`);
    assert.equal(await page.locator('body').innerText(), '::1\n');
  }));

describe('one that is missing is said to be', () => {
  const MISSING = 'There is no IPv6 here.';

  test('after 3 seconds where nobody answers, and not before', () =>
    visit({ name: 'silent.example.org' }, async page => {
      await page.getByText(MISSING).waitFor();
      const waited = await page.evaluate(() => window.waitEnded - window.waitBegan);
      // Clocks in browsers are coarse.
      assert(waited > 2990, `${waited} ms`);
      assert.deepEqual(await cells(page), ['127.0.0.1', 'no IPv6 here']);
    }));

  for (const name of ['closed.example.org', 'unknown.example.org']) {
    test(`as soon as the browser knows: ${name}`, () =>
      visit({ name }, async page => {
        await page.getByText(MISSING).waitFor();
        assert.deepEqual(await cells(page), ['127.0.0.1', 'no IPv6 here']);
      }));
  }

  test('but not where somebody answers by the wrong family', () =>
    visit({ name: 'wrong.example.org' }, async (page, seen, port) => {
      await page.waitForLoadState('networkidle');
      assert(seen.requests.includes(`http://wrong.example.org:${port}/ip`), String(seen.requests));
      assert.deepEqual(await cells(page), ['127.0.0.1', 'ask wrong.example.org']);
      assert.equal(await page.locator('#other').getByRole('link').innerText(), 'ask wrong.example.org');
    }));
});

test('nobody else may be asked', () =>
  visit({}, async (page, seen, port) => {
    const ask = name => page.evaluate(url => fetch(url).then(answer => answer.status, error => error.name), `http://${name}:${port}/ip`);
    assert.deepEqual([await ask(V6), await ask('www.example.net')], [200, 'TypeError']);
    assert(seen.complaints.some(complaint => complaint.includes('Content Security Policy')), String(seen.complaints));
  }));
