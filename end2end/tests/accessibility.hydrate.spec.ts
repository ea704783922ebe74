import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { Dashboard } from '../pages/dashboard.ts';
import { modules } from '../fixtures/modules.ts';
import { details, places, unfold } from '../fixtures/pages.ts';
import { expect, test } from '../fixtures/test.ts';

async function check(page: Page, what: string) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
  expect.soft(found, what).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(overflow, `${what}: nothing to scroll sideways`).toBeLessThanOrEqual(0);
}

/** What is wide enough does not depend on colours. */
const widthsOf = (scheme: 'light' | 'dark') => (scheme === 'light' ? [1360, 390, 320] : [1360]);

/** Opens a page at each width, with all that can be opened open, and looks. */
function visitor(page: Page, at: number[]) {
  return async (path: string, isReady: () => Promise<void>) => {
    await page.goto(path);
    await isReady();
    await unfold(page);
    for (const width of at) {
      await page.setViewportSize({ width, height: 900 });
      await check(page, `${path} at ${width} px`);
    }
  };
}

for (const scheme of ['light', 'dark'] as const) {
  test(`every page in ${scheme}: no violation, nothing cut`, async ({ page, operator, tidewatch }) => {
    test.setTimeout(480_000);
    let settlement = await tidewatch.create('AXE-1');
    settlement = await tidewatch.move(settlement, { move: 'select_network', network: 'polygon', score: 9, reasoning: 'x', required: 9 });
    settlement = await tidewatch.move(settlement, { move: 'estimate_gas', gasEstimate: 1 });
    settlement = await tidewatch.move(settlement, { move: 'submit' });
    settlement = await tidewatch.move(settlement, { move: 'confirm', confirmations: 4 });
    const held = await tidewatch.move(await tidewatch.create('AXE-2'), { move: 'hold', reason: 'odd' });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });

    const visit = visitor(page, widthsOf(scheme));
    const dashboard = new Dashboard(page);
    for (const path of ['/', '/settlements', '/settlements?status=submitted', `/settlements/${settlement.id}`, `/settlements/${held.id}`]) {
      await visit(path, () => dashboard.isLive());
    }
    const ofModules = new Set(modules.map((module) => `/${module.name}`));
    const others = places.map((place) => place.path).filter((path) => path !== '/' && !ofModules.has(path));
    for (const path of [...others, '/channels?channel=private-axe', '/?range=24h', '/sessions?password=wrong']) {
      await visit(path, () => dashboard.isLive());
    }
    await visit('/nowhere', () => dashboard.isHydrated());
    // What opens above a page.
    await page.goto('/');
    await dashboard.isLive();
    await page.keyboard.press('Control+k');
    await expect(page.getByRole('dialog')).toBeVisible();
    for (const width of widthsOf(scheme)) {
      await page.setViewportSize({ width, height: 900 });
      await check(page, `the palette at ${width} px`);
    }
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog')).toBeVisible();
    await check(page, 'the shortcuts');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Log out' }).click();
    await visit('/invitation?token=x&error=short', () => expect(dashboard.heading).toBeVisible());
    await visit('/login?error=credentials', () => expect(dashboard.heading).toBeVisible());
    for (const path of ['/unsubscribe', '/unsubscribe?token=x', '/unsubscribe?done=1']) {
      await visit(path, () => expect(dashboard.heading).toBeVisible());
    }
  });

  test(`every module in ${scheme}: no violation, nothing cut`, async ({ page, operator, tidewatch }) => {
    test.setTimeout(480_000);
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    const visit = visitor(page, widthsOf(scheme));
    const dashboard = new Dashboard(page);
    for (const module of modules) {
      const made = await module.make(tidewatch);
      for (const path of [`/${module.name}`, `/${module.name}/${made.id}`]) await visit(path, () => dashboard.isLive());
    }
    const webhook = await tidewatch.curl('POST', '/api/v1/webhooks', { url: 'https://example.com/axe' });
    expect(webhook.status).toBe(201);
    // Its page is looked at with a delivery in it.
    await tidewatch.create('AXE-3');
    const deliveries = async () => (await tidewatch.curl('GET', `/api/v1/webhooks/${webhook.json.id}/deliveries`)).json.deliveries.length;
    await expect.poll(deliveries).toBeGreaterThan(0);
    await tidewatch.publishedEvents();
    const others = (await details(tidewatch)).map((place) => place.path).filter((path) => /^\/(events|jobs|webhooks|notification-rules)\//.test(path));
    expect(others.length).toBeGreaterThanOrEqual(3);
    for (const path of [...others, '/webhooks', '/jobs', '/connections']) await visit(path, () => dashboard.isLive());
  });
}
