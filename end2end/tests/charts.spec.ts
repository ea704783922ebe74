import { expect, test } from '../fixtures/test.ts';

// With and without JavaScript: drawn on the server, with the numbers behind each.

test('each chart has a table behind it, and all share the range of the address', async ({ page, operator, tidewatch }) => {
  let settlement = await tidewatch.create('CHART-1');
  for (const step of [
    { move: 'select_network', network: 'polygon', score: 9, reasoning: 'x', required: 1 },
    { move: 'estimate_gas', gasEstimate: 1 },
    { move: 'submit' },
    { move: 'confirm', confirmations: 1 },
    { move: 'settle', txHash: '0xabc', gasActual: 1 },
  ]) settlement = await tidewatch.move(settlement, step);
  expect(settlement.status).toBe('settled');
  await tidewatch.publishedEvents();
  await page.goto('/?range=24h');
  const charts = page.locator('main figure.chart');
  await expect(charts.first()).toBeVisible();
  const count = await charts.count();
  expect(count).toBeGreaterThanOrEqual(4);
  for (let index = 0; index < count; index++) {
    await expect(charts.nth(index).locator('svg')).toBeVisible();
    await expect(charts.nth(index).locator('table')).toHaveCount(1);
  }
  const day = page.locator('[data-range-link="24h"]');
  const week = page.locator('[data-range-link="7d"]');
  await expect(day).toHaveAttribute('aria-current', 'true');
  await week.click();
  await expect(page).toHaveURL(/\?range=7d(#panels)?$/);
  await expect(week).toHaveAttribute('aria-current', 'true');
  await expect(page.locator('main')).toContainText('last 7 days');
});
