import { Dashboard, SettlementsPage } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

test('people, keys, the audit log and the project follow what others do', async ({ page, operator, tidewatch }) => {
  const dashboard = new Dashboard(page);
  await page.goto('/people');
  await dashboard.isLive();
  await expect(page.locator('.freshness')).toContainText('as of');
  const ann = await tidewatch.addPerson(['viewer']);
  const item = page.locator('.list-item', { hasText: ann.email });
  await expect(item).toBeVisible();
  // What somebody has open stays open while others change others.
  await item.getByText('Change…').click();
  const bob = await tidewatch.addPerson(['operator']);
  await expect(page.locator('.list-item', { hasText: bob.email })).toBeVisible();
  await expect(item.getByRole('button', { name: 'Save' })).toBeVisible();

  await page.goto('/audit');
  await dashboard.isLive();
  expect((await tidewatch.curl('PATCH', '/api/v1/project', { name: 'Followed' })).status).toBe(200);
  await expect(page.locator('[data-action^="project."]').first()).toBeVisible();
  await page.goto('/project');
  await dashboard.isLive();
  expect((await tidewatch.curl('POST', '/api/v1/organizations', { name: 'New Harbour' })).status).toBe(201);
  await expect(page.locator('.list-item', { hasText: 'New Harbour' })).toBeVisible();
});

test('the number of records follows', async ({ page, operator, tidewatch }) => {
  const settlements = new SettlementsPage(page);
  await tidewatch.create('COUNT-0');
  await settlements.open('?status=created&limit=1');
  await settlements.isLive();
  const total = page.locator('[data-total]');
  const before = Number.parseInt((await total.innerText()).replace(/\D/g, ''), 10);
  const made = await tidewatch.create('COUNT-1');
  await expect(total).toHaveText(`${before + 1} settlements`);
  await tidewatch.create('COUNT-2');
  await expect(total).toHaveText(`${before + 2} settlements`);
  // The page has room for one: this one is on another.
  await tidewatch.move(made, { move: 'fail', error: 'no route' });
  await expect(total).toHaveText(`${before + 1} settlements`);
});
