import { execFileSync, spawn } from 'node:child_process';

import { SettlementsPage } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

/** What this machine's curl can unpack. */
const features = execFileSync('curl', ['--version'], { encoding: 'utf8' });
const codings = [['libz', 'gzip'], ['brotli', 'br'], ['zstd', 'zstd']].filter(([feature]) => features.includes(feature ?? ''));

for (const [, coding] of codings) {
  test(`curl --compressed reads each event of a ${coding} stream as it is sent`, async ({ tidewatch }) => {
    const headers = ['-H', `Accept-Encoding: ${coding}`, '-H', `Authorization: Bearer ${tidewatch.key}`];
    const curl = spawn('curl', ['--compressed', '-siN', ...headers, `${tidewatch.url}/api/v1/events?types=settlement.*`]);
    let text = '';
    curl.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    try {
      await expect.poll(() => text).toContain('event: connected');
      expect(text.toLowerCase()).toContain(`content-encoding: ${coding}`);
      for (const reference of ['ONE', 'TWO', 'THREE']) {
        await tidewatch.create(reference);
        // Nothing else is sent before this one can be read.
        await expect.poll(() => text).toContain(`"${reference}"`);
      }
    } finally {
      curl.kill();
    }
  });
}

test('Chromium asks for a compressed stream and shows each event as it comes', async ({ page, operator, tidewatch }) => {
  const stream = page.waitForResponse((response) => response.request().resourceType() === 'eventsource');
  const settlements = new SettlementsPage(page);
  await settlements.open();
  expect(['gzip', 'br', 'zstd']).toContain((await stream).headers()['content-encoding']);
  await settlements.isLive();
  for (const reference of ['ONE', 'TWO', 'THREE']) {
    const { id } = await tidewatch.create(reference);
    await expect(settlements.row(id)).toBeVisible();
  }
});
