import { Dashboard } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';
import { make, modules, move } from '../fixtures/modules.ts';

// With and without JavaScript: every module's list and detail, by links alone.

for (const module of modules) {
  test(`${module.name}: from the navigation to the list, to one of them and back`, async ({ page, operator, tidewatch }) => {
    const made = await module.make(tidewatch);
    const dashboard = new Dashboard(page);
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: module.title, exact: true }).click();
    await expect(dashboard.heading).toHaveText(module.title);
    await expect(page).toHaveTitle(`${module.title} · Tidewatch`);
    const row = page.locator(`.record-row[data-id="${made.id}"]`);
    await row.getByRole('link', { name: module.heading, exact: true }).click();
    await expect(page).toHaveURL(new RegExp(`/${module.name}/${made.id}$`));
    await expect(dashboard.heading).toHaveText(module.heading);
    await expect(page.locator('h1')).toHaveCount(1);
    await expect(page.getByRole('list', { name: 'Events, newest first' }).getByRole('listitem').first()).toBeVisible();
    await page.goBack();
    await expect(dashboard.heading).toHaveText(module.title);
    await expect(row).toBeVisible();
    // A link from elsewhere, by the id alone.
    await page.goto(`/records/${made.id}`);
    await expect(page).toHaveURL(new RegExp(`/${module.name}/${made.id}$`));
  });
}

test('words, a field, the order and who looks after them stand in the address', async ({ page, operator, tidewatch }) => {
  const found = await make(tidewatch, 'orders', { reference: 'SEARCH-77', totalMinor: 5_000_000, currency: 'JPY' });
  await make(tidewatch, 'orders', { reference: 'SEARCH-78', totalMinor: 10, currency: 'EUR' });
  await page.goto('/orders');
  const search = page.getByRole('search');
  await search.getByLabel('Search', { exact: true }).fill('search');
  await search.locator('select[name="sort"]').selectOption('amount');
  await expect(search.locator('select[name="currency"]'), 'out of the way until it is asked for').toBeHidden();
  await search.getByText('Currency, Time').click();
  await search.locator('select[name="currency"]').selectOption('JPY');
  await search.getByRole('button', { name: 'Apply', exact: true }).click();
  await expect(page).toHaveURL(/\/orders\?q=search&sort=amount&currency=JPY&from=&to=$/);
  const rows = page.locator('.record-row');
  await expect(rows).toHaveCount(1);
  await expect(rows).toHaveAttribute('data-id', found.id);
  await expect(page.locator('[data-total]')).toHaveText('1 order');
  await page.getByRole('link', { name: "Nobody's" }).click();
  await expect(page).toHaveURL(/assignee=none/);
  await expect(rows).toHaveCount(1);
  await page.getByRole('link', { name: 'Mine' }).click();
  await expect(page.getByText('No order is like this now')).toBeVisible();
  // A search in what is mine stays in what is mine; days narrow it further.
  await search.getByLabel('Made from (UTC)').fill('2026-01-31');
  await search.getByRole('button', { name: 'Apply', exact: true }).click();
  await expect(page).toHaveURL(/assignee=usr_\w+.*from=2026-01-31/);
  await expect(page.getByRole('link', { name: 'Mine' })).toHaveAttribute('aria-current', 'true');
  await expect(search.getByLabel('Made from (UTC)')).toHaveValue('2026-01-31');
  await page.getByRole('link', { name: 'Show all' }).first().click();
  await expect(page).toHaveURL(/\/orders$/);
});

test('what cannot be undone is asked once more with its amount, and money is entered as it is written', async ({ page, operator, tidewatch }) => {
  const payment = await make(tidewatch, 'payments', { reference: 'PAY-ASK', amountMinor: 90_000, currency: 'EUR', method: 'card' });
  await move(tidewatch, 'payments', payment, { move: 'authorize' });
  await page.goto(`/payments/${payment.id}`);
  const article = page.locator('article');
  const capture = page.locator('.moves details', { has: page.locator('form[data-move="capture"]') });
  await expect(capture.getByRole('button', { name: 'Capture', exact: true })).toBeHidden();
  await capture.getByText('Capture…').click();
  await expect(capture).toContainText('Capture: PAY-ASK, 900.00 EUR. This cannot be undone.');
  await capture.getByRole('button', { name: 'Capture', exact: true }).click();
  await expect(article).toHaveAttribute('data-status', 'captured');

  const refund = page.locator('.moves details', { has: page.locator('form[data-move="refund"]') });
  const amount = refund.getByLabel('Amount in EUR (optional)');
  const give = async (text: string) => {
    if (await amount.isHidden()) await refund.getByText('Refund…').click();
    await amount.fill(text);
    await refund.getByRole('button', { name: 'Refund', exact: true }).click();
  };
  await give('12,50');
  await expect(page.getByRole('alert').first()).toContainText('a point before the smaller unit');
  await expect(article).toHaveAttribute('data-status', 'captured');
  await give('12.50');
  await expect(article).toHaveAttribute('data-status', 'partially_refunded');
  const now = await tidewatch.curl('GET', `/api/v1/payments/${payment.id}`);
  expect(now.json.refundedMinor).toBe(1250);
});

test('a list goes out as a file', async ({ page, operator, tidewatch }) => {
  await make(tidewatch, 'incidents', { title: '=HYPERLINK("x")', severity: 'low' });
  await page.goto('/incidents?status=open');
  const href = await page.getByRole('link', { name: 'CSV' }).getAttribute('href');
  const answer = await page.request.get(href ?? '');
  expect(answer.headers()['content-disposition']).toContain('tidewatch-incidents.csv');
  const text = await answer.text();
  expect(text).toContain(`"'=HYPERLINK(""x"")"`);
  const json = await (await page.request.get((await page.getByRole('link', { name: 'JSON' }).getAttribute('href')) ?? '')).json();
  expect(json.length).toBe(text.trim().split('\r\n').length - 1);
});

test('forms make a record, move it, hand it to somebody and comment on it', async ({ page, operator }) => {
  const dashboard = new Dashboard(page);
  await page.goto('/incidents');
  await page.getByText('New incident').click();
  await page.getByLabel('Title').fill('The lift is stuck');
  await page.locator('form[data-create] select[name="new[severity]"]').selectOption('critical');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.locator('main').getByRole('link', { name: 'The lift is stuck' }).first().click();
  await expect(dashboard.heading).toHaveText('The lift is stuck');
  const article = page.locator('article');
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(article).toHaveAttribute('data-status', 'acknowledged');
  await page.getByText('Nobody looks after it').click();
  await page.getByLabel('Looked after by').selectOption({ label: 'Demo Operator' });
  await page.getByRole('button', { name: 'Assign' }).click();
  await expect(page.getByText('Demo Operator looks after it')).toBeVisible();
  await page.getByLabel('Write a comment').fill('Called the firm.');
  await page.getByRole('button', { name: 'Comment' }).click();
  await expect(page.locator('.comment')).toContainText('Called the firm.');
  await expect(page.locator('.comment')).toContainText('Demo Operator');
  // Its list says who looks after it, and finds it no longer among those that nobody does.
  await page.goto('/incidents?q=lift&assignee=none');
  await expect(page.getByText('No incident is like this now')).toBeVisible();
  await page.goto('/incidents?q=lift');
  await expect(page.locator('.record-row [data-assignee]').first()).toContainText('Demo Operator');
});

test('what is no module, and no record of one, is not there', async ({ page, operator }) => {
  for (const path of ['/gizmos', '/gizmos/giz_01h455vb4pex5vsknk084sn02q', '/orders/stl_01h455vb4pex5vsknk084sn02q', '/orders/ord_01h455vb4pex5vsknk084sn02q']) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(404);
    await expect(page.locator('h1')).toHaveCount(1);
  }
});
