import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../fixtures/process.ts';
import { expect, test } from '../fixtures/test.ts';
import { Dashboard } from '../pages/dashboard.ts';

// The picture of the README: the overview at work, light and dark, into TIDEWATCH_SCREENS. With TIDEWATCH_HERO_MINUTES=12 the
// simulator works for so long before, so that charts have something to show. What came of that, with fewer colors, is in
// docs/images.

const folder = process.env.TIDEWATCH_SCREENS ?? '../.data/screenshots';
const minutes = Number(process.env.TIDEWATCH_HERO_MINUTES ?? 0);
/** So many events fill the feed. */
const enough = 200;

test.use({ viewport: { width: 1280, height: 1180 }, deviceScaleFactor: 1.5, trace: 'off' });

test('the board at work', async ({ page, tidewatch, operator }) => {
  test.setTimeout(600_000 + minutes * 60_000);
  mkdirSync(folder, { recursive: true });
  tidewatch.startSimulator('6/s');
  const until = Date.now() + minutes * 60_000;
  await eventually('a board that has been at work', async () => {
    const { position } = (await tidewatch.curl('GET', '/api/v1/events?after=latest')).json;
    return position >= enough && Date.now() >= until;
  }, 300_000 + minutes * 60_000);
  const dashboard = new Dashboard(page);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto('/?range=1h');
    await dashboard.isLive();
    await expect(page.locator('h1')).toBeVisible();
    await page.screenshot({ path: join(folder, `hero-${colorScheme}.png`) });
  }
});
