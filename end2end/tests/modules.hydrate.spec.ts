import { Dashboard } from '../pages/dashboard.ts';
import { anotherOperator } from '../pages/login.ts';
import { expect, test } from '../fixtures/test.ts';
import { make, modules, move } from '../fixtures/modules.ts';

for (const module of modules.filter((one) => one.move)) {
  test(`${module.name}: a list and a detail follow without a reload`, async ({ page, context, operator, tidewatch }) => {
    const dashboard = new Dashboard(page);
    await page.goto(`/${module.name}`);
    await dashboard.isLive();
    await page.evaluate(() => Object.assign(window, { neverReloaded: true }));
    const made = await module.make(tidewatch);
    const row = page.locator(`.record-row[data-id="${made.id}"]`);
    await expect(row).toHaveAttribute('data-status', made.status);
    const detail = await context.newPage();
    await detail.goto(`/${module.name}/${made.id}`);
    await new Dashboard(detail).isLive();
    await move(tidewatch, module.name, made, module.move ?? {});
    await expect(row).toHaveAttribute('data-status', module.moved ?? '');
    await expect(detail.locator('article')).toHaveAttribute('data-status', module.moved ?? '');
    await expect(detail.locator('.timeline-item')).toHaveCount(2);
    expect(await page.evaluate(() => 'neverReloaded' in window)).toBe(true);
    await detail.close();
  });
}

for (const module of modules.filter((one) => !one.move)) {
  test(`${module.name}: what is new is in the list without a reload`, async ({ page, operator, tidewatch }) => {
    await page.goto(`/${module.name}?q=${encodeURIComponent(module.heading)}`);
    await new Dashboard(page).isLive();
    const versions = () => page.locator('.record-row').evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.version ?? '').join());
    const before = await versions();
    const made = await module.make(tidewatch);
    const row = page.locator(`.record-row[data-id="${made.id}"]`);
    await expect(row).toHaveAttribute('data-status', /./);
    // A balance was there before, and has moved.
    await expect.poll(versions).not.toBe(before);
  });
}

test('two operators act on one settlement: one wins, the other sees why, live', async ({ page, browser, operator, tidewatch }) => {
  const theirs = await anotherOperator(browser, tidewatch);

  const settlement = await tidewatch.create('TWO-1');
  for (const one of [page, theirs]) {
    await one.goto(`/settlements/${settlement.id}`);
    await new Dashboard(one).isLive();
  }
  // The second one's hand is on the button with the version of before: the first one's move comes between.
  await theirs.getByText('Mark as failed…').click();
  await theirs.getByLabel('What went wrong').fill('given up');
  await theirs.route('**/fn/move_record**', async (route) => {
    await new Dashboard(page).hold('I am on it');
    await expect(page.locator('article')).toHaveAttribute('data-status', 'held');
    await route.continue();
  }, { times: 1 });
  await theirs.getByRole('button', { name: 'Mark as failed', exact: true }).click();
  const refusal = theirs.locator('[data-error="conflict"]');
  await expect(refusal).toContainText('Somebody was faster');
  await expect(refusal).toContainText('version 2');
  await expect(theirs.locator('article')).toHaveAttribute('data-status', 'held');
  await expect(theirs.locator('article')).toContainText('Held: I am on it');
  await expect(theirs.locator('.timeline-item')).toHaveCount(2);

  // What one writes, the other reads at once.
  await page.getByLabel('Write a comment').fill('The bank has it.');
  await page.getByRole('button', { name: 'Comment' }).click();
  await expect(theirs.locator('.comment')).toContainText('The bank has it.');
  await theirs.context().close();
});

test('many are ticked and moved at once', async ({ page, operator, tidewatch }) => {
  const made = await Promise.all([1, 2, 3].map((number) => make(tidewatch, 'orders', { reference: `BULK-${number}`, totalMinor: 100, currency: 'EUR' })));
  await page.goto('/orders?q=bulk&status=created');
  const dashboard = new Dashboard(page);
  await dashboard.isLive();
  await expect(page.locator('.record-row')).toHaveCount(3);
  await page.getByText('Move many at once').click();
  await page.locator('#bulk select[name="move"]').selectOption('cancel');
  await page.locator('#bulk input[name="fields[reason]"]').fill('season is over');
  for (const record of made.slice(0, 2)) await page.locator(`.record-row[data-id="${record.id}"] .tick`).check();
  const impact = page.locator('.bulk-impact');
  await expect(impact).toHaveText('2 of 2 orders can make the move “Cancel the order”.');
  await page.getByRole('button', { name: 'Cancel the order: 2 orders…' }).click();
  // What is not easily taken back is asked once more, and names the count.
  await expect(page.locator('[data-confirm="2"]')).toContainText('Nothing is moved yet.');
  await page.getByRole('link', { name: 'Not now' }).click();
  await expect(page.locator('[data-confirm]')).toHaveCount(0);
  await page.getByRole('button', { name: 'Cancel the order: 2 orders…' }).click();
  await page.getByRole('button', { name: 'Yes: Cancel the order, 2 orders' }).click();
  await page.getByRole('link', { name: 'Watch how far it is' }).click();
  await expect(page.locator('article')).toHaveAttribute('data-status', 'completed');
  await expect(dashboard.heading).toHaveText('Cancel the order: 2 orders');
  for (const [index, record] of made.entries()) {
    const now = await tidewatch.curl('GET', `/api/v1/orders/${record.id}`);
    expect(now.json.status).toBe(index < 2 ? 'cancelled' : 'created');
  }
});

test('the impact is known before the click, and what is easily taken back is done at once', async ({ page, operator, tidewatch }) => {
  const made = await Promise.all([1, 2, 3].map((number) => make(tidewatch, 'settlements', { reference: `IMPACT-${number}`, amountMinor: 100, currency: 'EUR' })));
  await move(tidewatch, 'settlements', made[0], { move: 'fail', error: 'no route' });
  await page.goto('/settlements?q=impact');
  await new Dashboard(page).isLive();
  await page.getByText('Move many at once').click();
  await expect(page.getByText('At most 10,000 at once.')).toBeVisible();
  await page.locator('#bulk select[name="move"]').selectOption('hold');
  await page.locator('#bulk input[name="fields[reason]"]').fill('audit');
  await page.locator('#bulk input[name="all"]').check();
  await expect(page.locator('.bulk-impact')).toHaveText('2 of 3 settlements can make the move “Hold”.');
  await page.locator('#bulk input[name="all"]').uncheck();
  for (const record of made) await page.locator(`.record-row[data-id="${record.id}"] .tick`).check();
  await expect(page.locator('.bulk-impact')).toHaveText('2 of 3 settlements can make the move “Hold”.');
  await page.getByRole('button', { name: 'Hold: 2 settlements', exact: true }).click();
  await expect(page.getByText('Moving 2.')).toBeVisible();
  await expect(page.locator('.record-row[data-status="held"]')).toHaveCount(2);
});

test('money moves for many only after a second look, and one box ticks the page', async ({ page, operator, tidewatch }) => {
  for (const number of [1, 2]) {
    const payment = await make(tidewatch, 'payments', { reference: `TICK-${number}`, amountMinor: 90_000, currency: 'EUR', method: 'card' });
    await move(tidewatch, 'payments', payment, { move: 'authorize' });
  }
  await page.goto('/payments?q=tick');
  await new Dashboard(page).isLive();
  const all = page.getByLabel('Choose all on this page');
  await all.check();
  await expect(page.locator('.record-row .tick:checked')).toHaveCount(2);
  await page.locator('.record-row .tick').first().uncheck();
  expect(await all.evaluate((box) => (box as HTMLInputElement).indeterminate)).toBe(true);
  await all.check();
  await page.getByText('Move the 2 that are ticked').click();
  await page.getByRole('button', { name: 'Capture: 2 payments…' }).click();
  await expect(page.locator('[data-confirm="2"]')).toContainText('Nothing is moved yet.');
  await page.getByRole('button', { name: 'Yes: Capture, 2 payments' }).click();
  await expect(page.locator('.record-row[data-status="captured"]')).toHaveCount(2);
});

test('the navigation of a phone is a menu', async ({ page, operator }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await new Dashboard(page).isLive();
  const menu = page.getByRole('navigation', { name: 'Main' });
  await expect(menu).toBeHidden();
  await page.getByRole('button', { name: 'Menu' }).click();
  await menu.getByRole('link', { name: 'Incidents' }).click();
  await expect(page.locator('h1')).toHaveText('Incidents');
  await expect(menu).toBeHidden();
});

test('by keyboard alone: to the list, through the filter, into a record, a move', async ({ page, operator, tidewatch }) => {
  const made = await make(tidewatch, 'incidents', { title: 'Keyboard only', severity: 'low' });
  await page.goto('/incidents?q=keyboard');
  await new Dashboard(page).isLive();
  const reach = async (is: string) => {
    for (let step = 0; step < 80; step++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((selector) => document.activeElement?.matches(selector) ?? false, is)) return;
    }
    throw new Error(`${is} cannot be reached`);
  };
  await reach(`.record-row[data-id="${made.id}"] .row-link`);
  await page.keyboard.press('Enter');
  await expect(page.locator('h1')).toHaveText('Keyboard only');
  await reach('form[data-move="acknowledge"] button');
  await page.keyboard.press('Enter');
  await expect(page.locator('article')).toHaveAttribute('data-status', 'acknowledged');
});
