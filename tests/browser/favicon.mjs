// Makes assets/favicon.ico from assets/favicon.svg: CHROMIUM=/usr/bin/chromium node favicon.mjs

import { readFileSync, writeFileSync } from 'node:fs';
import { startBrowser } from './stage.mjs';

const assets = new URL('../../assets/', import.meta.url);
const drawing = readFileSync(new URL('favicon.svg', assets), 'base64');
const browser = await startBrowser();
const images = [];
for (const size of [16, 32]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<body style="margin:0"><img width="${size}" src="data:image/svg+xml;base64,${drawing}">`);
  images.push({ size, png: await page.screenshot({ omitBackground: true }) });
}
await browser.close();

// ICONDIR, then an ICONDIRENTRY for each image, then the images, which may be PNG.
const head = Buffer.alloc(6 + 16 * images.length);
head.writeUInt16LE(1, 2);
head.writeUInt16LE(images.length, 4);
let offset = head.length;
images.forEach(({ size, png }, index) => {
  const entry = 6 + 16 * index;
  head.writeUInt8(size, entry);
  head.writeUInt8(size, entry + 1);
  head.writeUInt16LE(1, entry + 4);
  head.writeUInt16LE(32, entry + 6);
  head.writeUInt32LE(png.length, entry + 8);
  head.writeUInt32LE(offset, entry + 12);
  offset += png.length;
});
writeFileSync(new URL('favicon.ico', assets), Buffer.concat([head, ...images.map(({ png }) => png)]));
