import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { Dashboard } from '../pages/dashboard.ts';
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

const widths = [1360, 390, 320];

for (const scheme of ['light', 'dark'] as const) {
  test(`every page in ${scheme}: no violation, nothing cut`, async ({ page, operator, tidewatch }) => {
    test.slow();
    let settlement = await tidewatch.create('AXE-1');
    settlement = await tidewatch.move(settlement, { move: 'select_network', network: 'polygon', score: 9, reasoning: 'x', required: 9 });
    settlement = await tidewatch.move(settlement, { move: 'estimate_gas', gasEstimate: 1 });
    settlement = await tidewatch.move(settlement, { move: 'submit' });
    settlement = await tidewatch.move(settlement, { move: 'confirm', confirmations: 4 });
    const held = await tidewatch.move(await tidewatch.create('AXE-2'), { move: 'hold', reason: 'odd' });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });

    const visit = async (path: string, isReady: () => Promise<void>) => {
      await page.goto(path);
      await isReady();
      await page.locator('details').evaluateAll((all) => all.forEach((details) => details.setAttribute('open', '')));
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        await check(page, `${path} at ${width} px`);
      }
    };
    const dashboard = new Dashboard(page);
    for (const path of ['/', '/settlements', '/settlements?status=submitted', `/settlements/${settlement.id}`, `/settlements/${held.id}`]) {
      await visit(path, () => dashboard.isLive());
    }
    for (const path of ['/connections', '/channels?channel=private-axe', '/jobs', '/webhooks', '/people', '/api-keys', '/audit', '/project', '/sessions?password=wrong']) {
      await visit(path, () => dashboard.isLive());
    }
    await visit('/nowhere', () => dashboard.isHydrated());
    await page.getByRole('button', { name: 'Log out' }).click();
    await visit('/invitation?token=x&error=short', () => expect(dashboard.heading).toBeVisible());
    await visit('/login?error=credentials', () => expect(dashboard.heading).toBeVisible());
  });
}
