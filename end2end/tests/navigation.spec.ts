import { Dashboard, SettlementsPage } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

// With and without JavaScript: complete, and all of it reachable.

test('every page is reachable from the navigation and has one heading in main', async ({ page, operator, tidewatch }) => {
  const created = await tidewatch.create('NAV-1');
  const dashboard = new Dashboard(page);
  for (const name of ['Settlements', 'Overview']) {
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click();
    await expect(dashboard.heading).toHaveText(name);
    await expect(page.locator('h1')).toHaveCount(1);
    await expect(page).toHaveTitle(`${name} · Tidewatch`);
  }
  await page.goto('/settlements');
  await page.getByRole('link', { name: 'NAV-1' }).first().click();
  await expect(page).toHaveURL(new RegExp(`/settlements/${created.id}$`));
  await expect(dashboard.heading).toHaveText('NAV-1');
  await expect(page.getByRole('list', { name: 'Events, newest first' }).getByRole('listitem')).toHaveCount(1);
});

test('the reference of the API is reachable from the navigation, and leads back', async ({ page, operator }) => {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API reference' }).click();
  await expect(page).toHaveURL(/\/api\/docs$/);
  await expect(page.locator('main h1')).toContainText('Tidewatch API');
  await page.getByRole('link', { name: 'the dashboard' }).first().click();
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
});

test('the filter and the pages stand in the address', async ({ page, operator, tidewatch }) => {
  const failed = await tidewatch.move(await tidewatch.create('FILTER-1'), { move: 'fail', error: 'no route' });
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await page.getByRole('navigation', { name: 'Filter by status' }).getByRole('link', { name: 'Failed' }).click();
  await expect(page).toHaveURL(/\/settlements\?status=failed$/);
  await expect(settlements.row(failed.id)).toBeVisible();
  for (const row of await settlements.read()) expect(row.status).toBe('failed');

  for (let number = 0; number < 5; number++) await tidewatch.create(`PAGE-${number}`);
  await settlements.open('?limit=2');
  const seen: string[] = [];
  for (;;) {
    seen.push(...(await settlements.read()).map((row) => row.id));
    const older = page.getByRole('link', { name: 'Older' });
    if ((await older.count()) === 0) break;
    const href = await older.getAttribute('href');
    await older.click();
    await expect(page).toHaveURL(new RegExp(`${href?.replace(/[?]/g, '\\?')}$`));
    await expect(settlements.rows.first()).not.toHaveAttribute('data-id', seen.at(-2) ?? '');
  }
  const all = await tidewatch.curl('GET', '/api/v1/settlements?limit=200');
  expect(seen).toEqual(all.json.settlements.map((row: { id: string }) => row.id));
  await page.getByRole('link', { name: 'Back to newest' }).click();
  await expect(page).toHaveURL(/\/settlements\?limit=2$/);
});

test('an operator makes a settlement and moves it by forms', async ({ page, operator }) => {
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await page.getByText('New settlement').click();
  await page.getByLabel('Reference', { exact: true }).fill('FORM-1');
  await page.getByLabel('Amount', { exact: true }).fill('1,250.50');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.locator('main').getByRole('link', { name: 'FORM-1' }).first().click();
  await expect(settlements.heading).toHaveText('FORM-1');
  await expect(page.locator('.record-amount')).toHaveText('1,250.50 EUR');

  await settlements.hold('a second look');
  const article = page.locator('article');
  await expect(article).toHaveAttribute('data-status', 'held');
  await expect(article).toContainText('Held: a second look');
  await page.getByRole('button', { name: 'Release' }).click();
  await expect(article).toHaveAttribute('data-status', 'created');
});

test('who acts on an older version is told what is there now', async ({ page, operator, tidewatch }) => {
  const created = await tidewatch.create('RACE-1');
  await page.goto(`/settlements/${created.id}`);
  // The page's own form, sent with the version that it was rendered with.
  await page.getByText('Hold…').click();
  const version = page.locator('form[data-move="hold"] input[name="request[expectedVersion]"]');
  await expect(version).toHaveValue('1');
  await tidewatch.move(created, { move: 'fail', error: 'someone else was faster' });
  const article = page.locator('article');
  const isLive = await page.evaluate(() => document.documentElement.dataset.hydrated === 'true').catch(() => false);
  if (isLive) {
    await expect(article).toHaveAttribute('data-status', 'failed');
    await expect(page.getByRole('button', { name: 'Retry' })).toBeVisible();
  } else {
    await page.getByLabel('Reason').fill('too late');
    await page.getByRole('button', { name: 'Hold', exact: true }).click();
    await expect(page.getByRole('alert').first()).toContainText('Somebody was faster');
    await expect(article).toHaveAttribute('data-status', 'failed');
  }
});

test('an address that leads nowhere says so with its status', async ({ page, operator }) => {
  for (const path of ['/nowhere', '/settlements/stl_01h455vb4pex5vsknk084sn02q', '/settlements/nonsense']) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(404);
    await expect(new Dashboard(page).heading, path).toHaveText('Not found');
  }
});
