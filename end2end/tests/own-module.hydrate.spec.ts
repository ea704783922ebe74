import { Dashboard } from '../pages/dashboard.ts';
import { LoginPage } from '../pages/login.ts';
import { expect, test as base } from '../fixtures/test.ts';
import { make, move } from '../fixtures/modules.ts';
import { parcels, Tidewatch } from '../fixtures/tidewatch.ts';

// The browser's part of the dashboard was built without parcels.

const test = base.extend<object, { tidewatch: Tidewatch }>({
  tidewatch: [
    async ({ settings }, use) => {
      const tidewatch = await Tidewatch.start(settings, undefined, parcels);
      await use(tidewatch);
      await tidewatch.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
});

test('a module that the browser does not know is live: list, chart and record', async ({ page, context, operator, tidewatch }) => {
  const dashboard = new Dashboard(page);
  await page.getByRole('navigation').getByRole('link', { name: 'Parcels' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Parcels');
  await dashboard.isLive();
  await page.evaluate(() => Object.assign(window, { neverReloaded: true }));
  const counted = (status: string) => page.locator('#chart-parcels-by-status tbody tr').filter({ hasText: status }).locator('td');
  await expect(counted('Waiting')).toHaveText('0');

  const made = await make(tidewatch, 'parcels', { reference: 'A-1', items: 2 });
  const row = page.locator(`.record-row[data-id="${made.id}"]`);
  await expect(row).toHaveAttribute('data-status', 'waiting');
  await expect(counted('Waiting')).toHaveText('1');

  const detail = await context.newPage();
  await detail.goto(`/parcels/${made.id}`);
  await new Dashboard(detail).isLive();
  await detail.getByRole('button', { name: 'Start' }).click();
  await expect(row).toHaveAttribute('data-status', 'underway');
  // By somebody else, and by an event of a type of its own.
  await move(tidewatch, 'parcels', { ...made, version: 2 }, { move: 'finish' });
  await expect(detail.locator('article')).toHaveAttribute('data-status', 'done');
  await expect(detail.locator('.timeline-item').first()).toContainText('Finished');
  await expect(row).toHaveAttribute('data-status', 'done');
  await expect(counted('Done')).toHaveText('1');
  await expect(counted('Waiting')).toHaveText('0');
  await expect(page.locator('#chart-parcels-over-time .chart-numbers')).toContainText('3 in all');
  expect(await page.evaluate(() => 'neverReloaded' in window)).toBe(true);
  await detail.close();
});

test('a form makes one, and who was not given its permission does not know of it', async ({ page, operator, tidewatch, browser }) => {
  await page.goto('/parcels');
  await new Dashboard(page).isLive();
  await page.getByText('New parcel').click();
  await page.getByLabel('Reference').fill('FORM-1');
  await page.getByLabel('Items').fill('3');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await expect(page.locator('main')).toContainText('FORM-1');

  const viewer = await tidewatch.addPerson(['viewer']);
  const other = await browser.newPage({ baseURL: tidewatch.url });
  const login = new LoginPage(other);
  await login.open();
  await login.logIn(viewer.email, viewer.password);
  await expect(other.getByRole('navigation').getByRole('link', { name: 'Orders' })).toBeVisible();
  await expect(other.getByRole('navigation').getByRole('link', { name: 'Parcels' })).toHaveCount(0);
  expect((await other.goto('/parcels'))?.status()).toBe(403);
  await other.close();
});
