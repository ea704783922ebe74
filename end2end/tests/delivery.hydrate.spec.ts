import { expect, test } from '../fixtures/test.ts';
import { Dashboard } from '../pages/dashboard.ts';

test('the page that shows an event is told to have been given it, without a reload', async ({ page, operator, tidewatch }) => {
  const settlement = await tidewatch.create('PROOF-LIVE');
  await page.goto(`/settlements/${settlement.id}`);
  await new Dashboard(page).isLive();
  await tidewatch.move(settlement, { move: 'hold', reason: 'x' });
  const newest = page.locator('.proof-item').first();
  await expect(newest).toContainText('settlement.status_changed');
  // This very page, live.
  await expect(newest.locator('[data-actor^="user:"][data-live="true"]')).toContainText('stream');
});
