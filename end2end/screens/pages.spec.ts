import type { Page } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { details, places } from '../fixtures/pages.ts';
import { modules } from '../fixtures/modules.ts';
import { eventually } from '../fixtures/process.ts';
import { expect, test } from '../fixtures/test.ts';
import type { Tidewatch } from '../fixtures/tidewatch.ts';
import { Dashboard } from '../pages/dashboard.ts';
import { InboxPage } from '../pages/inbox.ts';

// Every page, wide and as on a phone, light and dark, with what the simulator makes, into TIDEWATCH_SCREENS.

const folder = process.env.TIDEWATCH_SCREENS ?? '../.data/screenshots';
/** Only these pages and what is below them, with commas between: `/settlements,/system`. All where there is none. */
const only = (process.env.TIDEWATCH_SCREENS_OF ?? '').split(',').filter(Boolean);
const isWanted = (path: string) => only.length === 0 || only.some((one) => path === one || path.startsWith(`${one}/`) || path.startsWith(`${one}?`));
const widths = [1360, 390];
const schemes = ['light', 'dark'] as const;
/** Pages on which nothing is live. */
const still = ['/nowhere', '/unsubscribe', '/unsubscribe?token=x', '/unsubscribe?done=1'];
/** As many records of each kind as make a page look like a page. */
const enough = 12;

const fileOf = (path: string) => path.replace(/[?&=]/g, '-').replace(/\/[a-z]{3}_\w+/, '-one').replaceAll('/', '-').replace(/^-/, '') || 'overview';

/** Something for the inbox: what must be acknowledged, what belongs together, and what can wait. */
async function tell(tidewatch: Tidewatch) {
  const people = (await tidewatch.curl('GET', '/api/v1/people')).json.people as { id: string; email: string }[];
  const me = people.find((person) => person.email === tidewatch.email);
  const rule = (name: string, more: Record<string, unknown>) => tidewatch.curl('POST', '/api/v1/notification-rules', {
    name, types: ['settlement.created'], audience: [{ kind: 'user', id: me?.id }], ...more,
  });
  await rule('Large settlements', {
    conditions: [{ pointer: '/amountMinor', operator: 'greater_than', value: 90000000 }], priority: 'high', mustAcknowledge: true,
    escalation: [{ afterSeconds: 900, audience: [{ kind: 'role', name: 'admin' }] }],
    template: { title: '{{/reference}} is larger than usual', body: '{{/amountMinor}} {{/currency}} in one settlement. Somebody has to look at it before it is sent.', link: '/settlements/{{id}}' },
  });
  await rule('Every settlement', { priority: 'low', template: { title: '{{/reference}} was made', link: '/settlements/{{id}}', group: 'Settlements of today' } });
  await rule('What goes to Polygon', { template: { title: 'A settlement in {{/currency}}', body: 'It is called {{/reference}}.', link: '/settlements/{{id}}' },
    conditions: [{ pointer: '/reference', operator: 'contains', value: '-2' }] });
  for (const [reference, amountMinor] of [['NIGHT-1', 99000000], ['NIGHT-2', 1200], ['NIGHT-3', 48000]] as const) {
    await tidewatch.create(reference, { amountMinor });
  }
}

/** One of the inbox, and another one that is put away. What belongs together is folded. */
async function read(page: Page): Promise<string> {
  const inbox = new InboxPage(page);
  await expect(async () => {
    await inbox.open('?folder=all');
    await expect(inbox.rows.filter({ visible: true })).toHaveCount(3, { timeout: 1_000 });
  }).toPass({ timeout: 30_000 });
  await inbox.isLive();
  const archive = page.getByRole('button', { name: /^Archive: / }).filter({ visible: true }).first();
  const archived = archive.locator('xpath=ancestor::article');
  const id = await archived.getAttribute('data-id');
  await archive.click();
  await expect(page.locator(`.notification[data-id="${id}"]`)).toHaveCount(0);
  return (await inbox.rows.first().getAttribute('data-id')) ?? '';
}

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
  await tell(tidewatch);
  await tidewatch.curl('POST', '/api/v1/webhooks', { url: 'https://example.com/hook', types: ['settlement.*'] });
  const dashboard = new Dashboard(page);
  const one = await read(page);
  const others = ['/?range=24h', '/notifications?folder=all', '/notifications?folder=archived', `/notifications/${one}`, ...still];
  const all = [...places, ...(await details(tidewatch)), ...others.map((path) => ({ path, heading: '' }))];
  for (const { path } of all.filter((place) => isWanted(place.path))) {
    for (const width of widths) {
      await page.setViewportSize({ width, height: width < 500 ? 844 : 900 });
      for (const colorScheme of schemes) {
        await page.emulateMedia({ colorScheme });
        await page.goto(path);
        await dashboard.isHydrated();
        if (!still.includes(path)) await dashboard.isLive();
        await expect(page.locator('h1')).toBeVisible();
        await page.screenshot({ path: join(folder, `${fileOf(path)}-${width}-${colorScheme}.png`), fullPage: true });
      }
    }
  }
});
