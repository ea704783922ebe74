import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { details, places } from '../fixtures/pages.ts';
import { modules } from '../fixtures/modules.ts';
import { eventually } from '../fixtures/process.ts';
import { expect, test } from '../fixtures/test.ts';
import { Dashboard } from '../pages/dashboard.ts';

// Every page, wide and as on a phone, light and dark, with what the simulator makes, into TIDEWATCH_SCREENS.

const folder = process.env.TIDEWATCH_SCREENS ?? '../.data/screenshots';
/** Only these pages and what is below them, with commas between: `/settlements,/system`. All where there is none. */
const only = (process.env.TIDEWATCH_SCREENS_OF ?? '').split(',').filter(Boolean);
const isWanted = (path: string) => only.length === 0 || only.some((one) => path === one || path.startsWith(`${one}/`) || path.startsWith(`${one}?`));
const widths = [1360, 390];
const schemes = ['light', 'dark'] as const;
/** As many records of each kind as make a page look like a page. */
const enough = 12;

const fileOf = (path: string) => path.replace(/[?&=]/g, '-').replace(/\/[a-z]{3}_\w+/, '-one').replaceAll('/', '-').replace(/^-/, '') || 'overview';

test('every page', async ({ page, operator, tidewatch }) => {
  mkdirSync(folder, { recursive: true });
  tidewatch.startSimulator('60');
  for (const module of modules) {
    const wanted = module.name === 'balances' || module.name === 'servers' ? 1 : enough;
    await eventually(`the simulator to make ${module.name}`, async () => {
      const list = await tidewatch.curl('GET', `/api/v1/${module.name}?limit=${wanted}`);
      return list.json[module.name].length >= wanted;
    }, 240_000);
  }
  await tidewatch.stopSimulator();
  await tidewatch.curl('POST', '/api/v1/webhooks', { url: 'https://example.com/hook', types: ['settlement.*'] });
  const dashboard = new Dashboard(page);
  const all = [...places, ...(await details(tidewatch)), { path: '/?range=24h', heading: '' }, { path: '/nowhere', heading: '' }];
  for (const { path } of all.filter((place) => isWanted(place.path))) {
    for (const width of widths) {
      await page.setViewportSize({ width, height: width < 500 ? 844 : 900 });
      for (const colorScheme of schemes) {
        await page.emulateMedia({ colorScheme });
        await page.goto(path);
        await dashboard.isHydrated();
        if (path !== '/nowhere') await dashboard.isLive();
        await expect(page.locator('h1')).toBeVisible();
        await page.screenshot({ path: join(folder, `${fileOf(path)}-${width}-${colorScheme}.png`), fullPage: true });
      }
    }
  }
});
