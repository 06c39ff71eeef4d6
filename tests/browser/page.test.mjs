import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { open, startBrowser, startProxy, startServer } from './stage.mjs';

const TABS = ['Browser', 'Wget', 'Curl', 'Fetch', 'PowerShell'];
const BEGINNINGS = { Wget: 'wget -qO - ', Curl: 'curl ', Fetch: 'fetch -qo - ', PowerShell: 'Invoke-RestMethod ' };
const FORWARDED = 'X-Forwarded-For: 6.6.6.6, 203.0.113.9:54321\r\nX-Forwarded-Proto: https\r\n';
const SECRETS = 'Cookie: session=s3cret\r\nAuthorization: Basic czNjcmV0\r\nProxy-Authorization: Bearer s3cret\r\n';
const NARROW = { width: 320, height: 640 };

let server, proxy, secretive, browser, url, secretUrl;

before(async () => {
  server = await startServer('--trusted-proxy', 'loopback', '--explain', '--served-by', 'web-3');
  proxy = await startProxy(server.port, FORWARDED);
  secretive = await startProxy(server.port, FORWARDED + SECRETS);
  browser = await startBrowser();
  url = `http://127.0.0.1:${proxy.port}/`;
  secretUrl = `http://127.0.0.1:${secretive.port}/`;
});

after(async () => {
  await browser?.close();
  proxy?.stop();
  secretive?.stop();
  await server?.stop();
});

/** Opens the page, hands it over, and wants no complaint of the browser and no request to anyone else. */
async function visit(address, options, look) {
  const { page, context, seen } = await open(browser, address, options);
  try {
    await look(page);
    assert.deepEqual(seen.complaints, []);
    const { origin } = new URL(address);
    assert.deepEqual(seen.requests.filter(request => !request.startsWith(`${origin}/`)), []);
    return seen;
  } finally {
    await context.close();
  }
}

/** Sends a request as it stands; answers all that comes back. */
async function ask(port, request) {
  const socket = net.connect(port, '127.0.0.1');
  socket.end(request);
  const chunks = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

/** Nothing reaches beyond the window. */
async function checkWidth(page) {
  const { width } = page.viewportSize();
  const reaches = await page.locator('body *:visible').evaluateAll(elements =>
    Math.max(...elements.filter(element => element.tagName !== 'INPUT').map(element => element.getBoundingClientRect().right)));
  assert(reaches <= width, `${reaches} of ${width} px`);
}

/** The fields that Chromium sends when someone types the address. */
async function usualFields(page) {
  const all = JSON.parse(await page.locator('pre').textContent());
  const own = /^(Source-|X-Forwarded-|Host$|Connection$)/;
  return Object.fromEntries(Object.entries(all).filter(([name]) => !own.test(name)));
}

/** What the page shows on each tab, whichever way it was chosen. */
async function checkTab(page, tab) {
  const commands = await page.locator('code:visible').evaluateAll(codes => codes.map(code => code.innerText));
  const heads = await page.locator('thead th').allInnerTexts();
  const heading = page.getByText('Browsers send these');
  if (tab === 'Browser') {
    assert.deepEqual(commands, []);
    assert.deepEqual(heads, ['Item', 'Result']);
    assert.equal(await heading.isVisible(), false);
    const names = await page.locator('tbody th:visible').allInnerTexts();
    assert.equal(names.pop(), 'JSON');
    assert.deepEqual(names, [...names].sort(), 'sorted');
    for (const name of ['accept', 'source-ip', 'source-port', 'user-agent', 'sec-fetch-dest']) assert(names.includes(name), name);
    return;
  }
  assert.equal(new Set(commands).size, commands.length, 'each once');
  const host = new URL(page.url()).host;
  for (const command of commands) {
    assert(command.startsWith(`${BEGINNINGS[tab]}https://${host}/`), command);
  }
  assert(commands.includes(`${BEGINNINGS[tab]}https://${host}/`), 'the address');
  assert(commands.at(-1).endsWith('/all'), 'the JSON');
  assert.equal(heads[0], 'Command');
  assert.equal(await heading.isVisible(), true);
  // Every command is for something that the tool's own request has too.
  const paths = commands.map(command => new URL(command.slice(BEGINNINGS[tab].length)).pathname);
  assert.deepEqual(paths, [
    ...(tab === 'PowerShell' ? [] : ['/accept']),
    '/host', '/', '/source-port', '/user-agent', '/x-forwarded-for', '/x-forwarded-proto', '/all',
  ]);
  const names = await page.locator('tbody:not(.tool) th:visible').allInnerTexts();
  assert.equal(names.includes('accept'), tab === 'PowerShell', 'where there is no command the name is shown');
  const group = await page.locator('tbody.tool tr:visible th:not([colspan])').allInnerTexts();
  for (const name of ['accept-language', 'connection', 'sec-fetch-dest', 'upgrade-insecure-requests']) assert(group.includes(name), name);
}

describe('what is shown', () => {
  test('the address, how it was found, who answers', () =>
    visit(url, {}, async page => {
      assert.equal(await page.locator('#ip').innerText(), '203.0.113.9');
      await assert.doesNotReject(page.getByText('A trusted proxy gave it, in x-forwarded-for.').waitFor());
      assert.equal(await page.getByRole('link', { name: 'How was this decided?' }).getAttribute('href'), 'explain');
      assert.match(await page.locator('footer').innerText(), /Served by web-3/);
      assert.equal(await page.locator('html').getAttribute('lang'), 'en');
      const foreign = await page.locator('[href*="://"], [src]').evaluateAll(elements => elements.map(element => element.href ?? element.src));
      assert.deepEqual(foreign.filter(address => !address.startsWith(url)), [], 'no link leaves');
    }));

  test('one response and the icon, under 16 KiB', async () => {
    const answer = await fetch(url, { headers: { Accept: 'text/html' } });
    assert.match(answer.headers.get('content-security-policy'), /^default-src 'none'; /);
    assert.doesNotMatch(answer.headers.get('content-security-policy'), /unsafe/);
    assert.match(answer.headers.get('content-type'), /^text\/html; charset=utf-8$/);
    const seen = await visit(url, {}, async page => {
      const bytes = Buffer.byteLength(await (await page.request.get(url, { headers: await usualFields(page) })).text());
      assert(bytes < 16 * 1024, `${bytes} bytes`);
      console.log(`the page has ${bytes} bytes`);
    });
    const others = seen.requests.filter(request => request !== url);
    assert(others.every(request => /\/favicon\.(svg|ico)$/.test(request)), String(others));
  });

  test('every link answers', () =>
    visit(url, {}, async page => {
      const links = await page.locator('a[href]').evaluateAll(elements => elements.map(element => element.href));
      assert(links.length >= 10);
      for (const link of links) {
        assert.equal((await fetch(link)).status, 200, link);
      }
    }));

  test('every command gives what the row shows', () =>
    visit(url, {}, async page => {
      const rows = await page.locator('tbody.tool tr, tbody:not(.tool) tr:not(.item)').evaluateAll(elements =>
        elements.flatMap(row => {
          const code = row.querySelector('code');
          return code ? [[code.querySelectorAll('i')[1].textContent + code.lastChild.data, row.querySelector('td').textContent]] : [];
        }));
      const fields = await usualFields(page);
      const asked = rows.filter(([command]) => !/\/(all|source-port)?$/.test(command));
      assert.equal(asked.length, 5);
      for (const [command, result] of asked) {
        const path = new URL(command.replace('curl ', '')).pathname;
        const answer = await page.request.get(new URL(path, url).href, { headers: fields });
        assert.equal(await answer.text(), `${result}\n`, command);
      }
    }));

  test('a site over plain HTTP, without a proxy', async () => {
    const plain = await startServer();
    try {
      await visit(`http://ip.example.org:${plain.port}/`, {}, async page => {
        assert.equal(await page.locator('#ip').innerText(), '127.0.0.1');
        await page.getByText('not a public one').waitFor();
        assert.equal(await page.locator('a[href="explain"]').count(), 0);
        const commands = await page.locator('code').evaluateAll(codes =>
          codes.flatMap(code => [...code.querySelectorAll('i')].map(beginning => beginning.textContent + code.lastChild.data)));
        assert(commands.some(command => command.startsWith(`curl ip.example.org:${plain.port}/user-agent`)));
        assert(commands.some(command => command.startsWith(`fetch -qo - http://ip.example.org:${plain.port}/user-agent`)));
      });
      const answer = await fetch(`http://127.0.0.1:${plain.port}/?format=html`);
      assert.doesNotMatch(await answer.text(), /Served by/);
    } finally {
      await plain.stop();
    }
  });
});

describe('tabs', () => {
  for (const [state, viewport] of [['wide', undefined], ['at 320 px', NARROW]]) {
    test(`by mouse, ${state}`, () =>
      visit(url, { viewport }, async page => {
        for (const name of [...TABS, 'Browser']) {
          await page.getByRole('tab', { name }).click();
          assert.equal(await page.getByRole('tab', { selected: true }).innerText(), name);
          assert.equal(await page.getByRole('tabpanel', { name }).count(), 1);
          if (!viewport) await checkTab(page, name);
          await checkWidth(page);
        }
      }));

    test(`without JavaScript, ${state}`, () =>
      visit(url, { javaScriptEnabled: false, viewport }, async page => {
        assert.equal(await page.getByRole('tab').count(), 0);
        assert.equal(await page.locator('button').count(), 0, 'nothing that does nothing');
        for (const name of [...TABS, 'Browser']) {
          await page.getByText(name, { exact: true }).click();
          assert.equal(await page.getByRole('radio', { name }).isChecked(), true);
          if (!viewport) await checkTab(page, name);
          await checkWidth(page);
        }
      }));
  }

  test('by keyboard', () =>
    visit(url, {}, async page => {
      await page.getByRole('tab', { name: 'Browser' }).focus();
      const steps = [
        ['ArrowRight', 'Wget'],
        ['ArrowRight', 'Curl'],
        ['ArrowLeft', 'Wget'],
        ['End', 'PowerShell'],
        ['ArrowRight', 'Browser'],
        ['ArrowLeft', 'PowerShell'],
        ['Home', 'Browser'],
      ];
      for (const [key, name] of steps) {
        await page.keyboard.press(key);
        assert.equal(await page.evaluate(() => document.activeElement.textContent), name, key);
        await checkTab(page, name);
      }
      const stops = await page.getByRole('tab').evaluateAll(tabs => tabs.filter(tab => tab.tabIndex === 0).length);
      assert.equal(stops, 1, 'one stop for Tab');
    }));

  test('by keyboard without JavaScript', () =>
    visit(url, { javaScriptEnabled: false }, async page => {
      for (let stops = 0; (await page.locator('input:focus').count()) === 0; stops++) {
        assert(stops < 10, 'Tab comes to the radio buttons');
        await page.keyboard.press('Tab');
      }
      for (const name of [...TABS.slice(1), 'Browser']) {
        await page.keyboard.press('ArrowRight');
        assert.equal(await page.getByRole('radio', { name }).isChecked(), true);
        await checkTab(page, name);
      }
    }));

  test('a reload keeps the tab and what it shows together', () =>
    visit(url, {}, async page => {
      await page.getByRole('tab', { name: 'Curl' }).click();
      await page.reload();
      await checkTab(page, await page.getByRole('tab', { selected: true }).innerText());
    }));
});

describe('copying', () => {
  // The clipboard is the browser's, but only a secure page may read it.
  let reader;
  before(async () => { reader = await open(browser, url, { permissions: ['clipboard-read', 'clipboard-write'] }); });
  after(() => reader?.context.close());
  const readClipboard = async () => {
    await reader.page.bringToFront();
    return reader.page.evaluate(() => navigator.clipboard.readText());
  };

  for (const [kind, host] of [['with the clipboard API', '127.0.0.1'], ['over plain HTTP, without it', 'ip.example.org']]) {
    test(kind, () =>
      visit(`http://${host}:${proxy.port}/`, {}, async page => {
        assert.equal(await page.evaluate(() => isSecureContext), host === '127.0.0.1');
        const said = page.getByRole('status');
        const copy = async (button, text, name) => {
          await page.bringToFront();
          await button.click();
          await said.getByText(`Copied ${name}`).waitFor();
          assert.equal(await readClipboard(), text);
        };
        await copy(page.getByRole('button', { name: 'Copy 203.0.113.9', exact: true }), '203.0.113.9', '203.0.113.9');
        await copy(page.getByRole('button', { name: 'Copy JSON' }), await page.locator('pre').textContent(), 'JSON');
        for (const tab of TABS.slice(1)) {
          await page.getByRole('tab', { name: tab }).click();
          const command = `${BEGINNINGS[tab]}https://${host}:${proxy.port}/user-agent`;
          await copy(page.getByRole('button', { name: `Copy ${command}`, exact: true }), command, command);
        }
      }));
  }

  test('every command has a button', () =>
    visit(url, {}, async page => {
      assert.equal(await page.locator('code + button').count(), await page.locator('code').count());
    }));

  test('a click selects a command whole, and nothing else', () =>
    visit(url, {}, async page => {
      await page.getByRole('tab', { name: 'Curl' }).click();
      await page.locator('code:visible').first().click({ position: { x: 10, y: 10 } });
      assert.equal(await page.evaluate(() => getSelection().toString().trim()), `curl https://127.0.0.1:${proxy.port}/accept`);
    }));

  test('what was said is unsaid', () =>
    visit(url, {}, async page => {
      await page.getByRole('button', { name: 'Copy 203.0.113.9' }).click();
      await page.waitForFunction(() => document.getElementById('said').textContent !== '');
      await page.waitForFunction(() => document.getElementById('said').textContent === '');
    }));
});

describe('secrets', () => {
  for (const javaScriptEnabled of [true, false]) {
    test(`wait until they are asked for, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, () =>
      visit(secretUrl, { javaScriptEnabled }, async page => {
        for (const name of TABS) {
          await page.getByText(name, { exact: true }).click();
          assert.doesNotMatch(await page.locator('body').innerText(), /s3cret|czNjcmV0/);
          const rows = page.locator('tr:visible', { has: page.locator('details') });
          assert.equal(await rows.count(), 4, 'three fields and the JSON');
          for (let index = 0; index < 4; index++) {
            const summary = rows.nth(index).locator('summary');
            await summary.click();
            assert.match(await rows.nth(index).innerText(), /s3cret|czNjcmV0/);
            await summary.click();
          }
        }
      }));
  }

  test('on paper, too', () =>
    visit(secretUrl, {}, async page => {
      await page.emulateMedia({ media: 'print' });
      assert.doesNotMatch(await page.locator('body').innerText(), /s3cret|czNjcmV0/);
      assert.equal(await page.locator('button:visible').count(), 0);
      assert.equal(await page.getByText('203.0.113.9').first().isVisible(), true);
    }));
});

describe('hostile values', () => {
  const bidi = '\u202e\u2067evil\u2066\u202d';
  const values = {
    'x-script': `<script>document.title = 'x'</script>`,
    'x-image': `"><img src=x onerror="document.title = 'x'">`,
    'x-quotes': `'"\`&amp;&lt;</td></table></textarea><!--`,
    'x-long': 'y'.repeat(8 * 1024),
    'x-emoji': '👩‍👩‍👧‍👦 grüß dich \u0e34\u0e34',
    'x-bidi': `left${bidi}right`,
    'x-unclosed': '\u2069\u2069\u202e',
    'x-template': '{{ 7 * 7 }} {% raw %} ${1}',
  };
  const latin = Buffer.from('x-latin: gr\xfc\xdf\r\n', 'latin1');
  const lines = Object.entries(values).map(([name, value]) => `${name}: ${value}\r\n`).join('') + "x`'&|$!#^*: name\r\n";
  let hostile;
  before(async () => { hostile = await startProxy(server.port, Buffer.concat([Buffer.from(FORWARDED + lines), latin])); });
  after(() => hostile?.stop());

  for (const viewport of [undefined, NARROW]) {
    test(`are text, at ${viewport?.width ?? 1280} px`, () =>
      visit(`http://127.0.0.1:${hostile.port}/`, { viewport }, async page => {
        assert.equal(await page.title(), 'SwagIP: your public IP');
        assert.equal(await page.locator('main img, main script').count(), 0);
        const json = JSON.parse(await page.locator('pre').textContent());
        for (const [name, value] of Object.entries({ ...values, 'x-latin': 'grüß' })) {
          const row = page.locator('tbody:not(.tool) tr', { has: page.locator('span', { hasText: new RegExp(`^${name}$`) }) });
          const shown = value.length > 1024 ? `${value.slice(0, 1024)}… ${value.length - 1024} bytes more` : value;
          assert.equal(await row.locator('td').textContent(), shown, name);
          assert.equal(json[name.replace(/(^|-)./g, letter => letter.toUpperCase())], shown, name);
        }
        for (const tab of TABS) {
          await page.getByRole('tab', { name: tab }).click();
          await checkWidth(page);
        }
        const commands = await page.locator('code').evaluateAll(codes =>
          codes.flatMap(code => [...code.querySelectorAll('i')].map(beginning => beginning.textContent + code.lastChild.data)));
        assert(commands.length > 50, `${commands.length} commands`);
        for (const command of commands) assert.match(command, /^[\w -]+? [\w.:/%~-]+$/, 'nothing that a shell acts on');
      }));
  }

  test('do not turn the text around them', () =>
    visit(`http://127.0.0.1:${hostile.port}/`, {}, async page => {
      // Each character of the JSON that follows a value stands right of the one before it.
      const ordered = await page.locator('pre').evaluate(pre => {
        const text = pre.firstChild;
        return [...text.data.matchAll(/"X-(Bidi|Unclosed)": ".*",\n/g)].every(match => {
          const lefts = [...match[0]].map((_, index) => {
            const range = new Range();
            range.setStart(text, match.index + index);
            range.setEnd(text, match.index + index + 1);
            return range.getBoundingClientRect();
          }).filter(box => box.width > 0);
          return lefts.length > 10 && lefts.every((box, index) => index === 0 || box.top > lefts[index - 1].top || box.left > lefts[index - 1].left);
        });
      });
      assert(ordered);
      const next = await page.locator('tr', { has: page.locator('span', { hasText: /^x-unclosed$/ }) }).evaluate(row => {
        const range = new Range();
        range.selectNodeContents(row.nextElementSibling.querySelector('span').firstChild);
        return range.getBoundingClientRect().left - row.querySelector('span').getBoundingClientRect().left;
      });
      assert.equal(next, 0, 'the next row begins at the left');
    }));

  test('of a host name cannot run in a shell', async () => {
    const raw = await ask(server.port, "GET /?format=html HTTP/1.1\r\nHost: a';$(id)&b\r\nConnection: close\r\n\r\n");
    const commands = [...raw.matchAll(/<code>(.*)<\/code>/g)].flatMap(([, code]) => {
      const [url, ...beginnings] = code.split('</i>').reverse();
      return beginnings.map(beginning => beginning.replace('<i>', '') + url);
    });
    assert(commands.length > 0);
    for (const command of commands) assert.match(command, /^[\w -]+? [\w.:/%-]+$/);
  });
});

describe('axe finds nothing', () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  for (const colorScheme of ['light', 'dark']) {
    for (const viewport of [undefined, NARROW]) {
      test(`${colorScheme}, ${viewport?.width ?? 1280} px`, () =>
        visit(secretUrl, { colorScheme, viewport }, async page => {
          await page.evaluate(axe);
          let rules = 0;
          for (const name of TABS) {
            await page.getByRole('tab', { name }).click();
            await page.getByRole('button', { name: 'Copy 203.0.113.9' }).click();
            await page.mouse.move(0, 0);
            const result = await page.evaluate(values => window.axe.run({ runOnly: { type: 'tag', values } }), tags);
            assert.deepEqual(result.violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target)]), [], name);
            rules = result.passes.length;
          }
          assert(rules > 20, `${rules} rules passed`);
        }));
    }
  }

  test('without JavaScript, in the state that the server sends', async () => {
    // axe is JavaScript itself: so the script is cut out instead.
    const { page, context } = await open(browser, 'about:blank');
    await page.route(url, async route => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace(/<script>[^]*<\/script>/, '') });
    });
    await page.goto(url);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(values => window.axe.run({ runOnly: { type: 'tag', values } }), tags);
    assert.deepEqual(violations.map(({ id }) => id), []);
    await context.close();
  });
});

test('everything is reached with Tab, and seen', () =>
  visit(secretUrl, { viewport: { width: 1000, height: 700 } }, async page => {
    const reached = new Set();
    for (let stops = 0; stops < 200; stops++) {
      await page.keyboard.press('Tab');
      const stop = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === document.body) return null;
        const style = getComputedStyle(element);
        const box = element.getBoundingClientRect();
        return {
          name: `${element.tagName} ${element.getAttribute('aria-label') ?? element.textContent}`,
          seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.top < innerHeight && box.bottom > 0,
        };
      });
      if (stop === null) break;
      assert(stop.seen, `${stop.name} shows that it has the focus`);
      reached.add(stop.name);
      if (stop.name === 'BUTTON Browser') {
        await page.keyboard.press('ArrowRight');
        await page.keyboard.press('ArrowRight');
      }
    }
    for (const name of ['BUTTON Copy 203.0.113.9', 'A How was this decided?', 'BUTTON Browser', 'SUMMARY Private', 'A /openapi.json']) {
      assert(reached.has(name), `${name} in ${[...reached].join(', ')}`);
    }
    assert([...reached].some(name => name.startsWith('BUTTON Copy curl ')));
  }));
