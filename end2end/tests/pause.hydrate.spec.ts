import { Dashboard, SettlementsPage } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

test('a page that is paused stands still, says so, and catches up', async ({ page, operator, tidewatch }) => {
  const settlements = new SettlementsPage(page);
  let first = await tidewatch.create('PAUSE-1');
  await settlements.open();
  await settlements.isLive();
  await page.getByRole('button', { name: 'Pause' }).click();
  const goOn = page.getByRole('button', { name: 'Go on' });
  await expect(goOn).toBeVisible();
  await expect(page.locator('.freshness')).toContainText('paused');
  const before = await settlements.read();
  first = await tidewatch.move(first, { move: 'hold', reason: 'odd' });
  const second = await tidewatch.create('PAUSE-2');
  // A second tab shows what this one holds back: the events are there.
  const other = await page.context().newPage();
  await other.goto('/settlements');
  await new Dashboard(other).isLive();
  const third = await tidewatch.create('PAUSE-3');
  await expect(other.locator(`.record-row[data-id="${third.id}"]`)).toBeVisible();
  await other.close();
  expect(await settlements.read()).toEqual(before);
  await settlements.isLive();

  await goOn.click();
  await expect(settlements.row(second.id)).toBeVisible();
  await expect(settlements.row(third.id)).toBeVisible();
  await expect(settlements.row(first.id)).toHaveAttribute('data-status', 'held');
  await expect(page.locator('.freshness')).not.toContainText('paused');
  await page.mouse.move(0, 0);
  await settlements.equalsAFreshLoad();
});

test('what is read by the clock stands still as well', async ({ page, operator, tidewatch }) => {
  await page.goto('/api-keys');
  const dashboard = new Dashboard(page);
  await dashboard.isLive();
  const make = (name: string) => tidewatch.curl('POST', '/api/v1/api-keys', { name, scopes: ['events.read'] });
  expect((await make('Before the pause')).status).toBe(201);
  await expect(page.getByText('Before the pause')).toBeVisible();
  await page.getByRole('button', { name: 'Pause' }).click();
  expect((await make('While it was paused')).status).toBe(201);
  // Stale is what was not read for ten seconds: it was not asked for meanwhile.
  await expect(page.locator('.freshness')).toHaveAttribute('data-stale', 'true');
  await expect(page.getByText('While it was paused')).toHaveCount(0);
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect(page.getByText('While it was paused')).toBeVisible();
});
