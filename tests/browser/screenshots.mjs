// The page's main states as pictures: node screenshots.mjs DIRECTORY

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open, startBrowser, startProxy, startServer } from './stage.mjs';

const directory = process.argv[2];
mkdirSync(directory, { recursive: true });

const WIDE = { width: 1000, height: 700 };
const NARROW = { width: 320, height: 640 };
const V4 = 'X-Forwarded-For: 203.0.113.9:54321\r\n';
const V6 = 'X-Forwarded-For: 2001:db8:85a3:1319:8a2e:370:7344:abcd\r\n';
const MORE = 'X-Forwarded-Proto: https\r\nCookie: session=3f2b9c\r\n';

// [file, what the proxy adds, how the browser is, what is done]
const STATES = [
  ['light', V4 + MORE, { viewport: WIDE }],
  ['dark', V4 + MORE, { viewport: WIDE, colorScheme: 'dark' }, async page => {
    await choose(page, 'Curl');
    await page.getByRole('button', { name: 'Copy 203.0.113.9' }).click();
    await page.getByText('Copied').waitFor();
  }],
  ['narrow', V6, { viewport: NARROW, colorScheme: 'dark' }, page => choose(page, 'Wget')],
  ['without-javascript', V6, { viewport: WIDE, javaScriptEnabled: false }, page => page.getByText('PowerShell').click()],
  ['endpoints', V4, { viewport: WIDE }, page => page.evaluate(() => scrollTo(0, document.body.scrollHeight))],
];

const choose = (page, name) => page.getByRole('tab', { name }).click();

const SETUP = ['--trusted-proxy', 'loopback', '--explain', '--served-by', 'web-3', '--site-host', 'ip.example.org'];
const server = await startServer(...SETUP);
const browser = await startBrowser({ 'ip6.example.org': '[::1]' });
for (const [name, fields, options, act] of STATES) {
  const proxy = await startProxy(server.port, fields);
  const { page, context } = await open(browser, `http://ip.example.org:${proxy.port}/`, options);
  await act?.(page);
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(directory, `${name}.png`) });
  await context.close();
  proxy.stop();
}

// The address of the other family comes by another proxy, at the same port.
const both = await startServer(...SETUP, '--site-host-ipv4', 'ip4.example.org', '--site-host-ipv6', 'ip6.example.org');
const by4 = await startProxy(both.port, V4);
const by6 = await startProxy(both.port, V6, { host: '::1', port: by4.port });
const { page, context } = await open(browser, `http://ip.example.org:${by4.port}/`, { viewport: WIDE });
await page.locator('#other strong').waitFor();
await choose(page, 'Curl');
await page.mouse.move(0, 0);
await page.screenshot({ path: join(directory, 'both-families.png') });
await context.close();
by4.stop();
by6.stop();
await both.stop();
await browser.close();
await server.stop();
