import { Dashboard, SettlementsPage } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

// A board of its own: the overview shows the eight that wait longest, and those of other specs wait too.
test.use({ settings: {} });

test('a settlement that curl makes appears, and each of its moves, without a reload', async ({ page, operator, tidewatch }) => {
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await settlements.isLive();
  await page.evaluate(() => Object.assign(window, { neverReloaded: true }));

  let settlement = await tidewatch.create('LIVE-1');
  const row = settlements.row(settlement.id);
  await expect(row).toHaveAttribute('data-status', 'created');
  settlement = await tidewatch.move(settlement, { move: 'select_network', network: 'polygon', score: 90, reasoning: 'cheapest', required: 4 });
  settlement = await tidewatch.move(settlement, { move: 'estimate_gas', gasEstimate: 21000 });
  settlement = await tidewatch.move(settlement, { move: 'submit' });
  settlement = await tidewatch.move(settlement, { move: 'confirm', confirmations: 1 });
  settlement = await tidewatch.move(settlement, { move: 'confirm', confirmations: 3 });
  await expect(row).toHaveAttribute('data-status', 'confirming');
  await expect(row.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '3');
  settlement = await tidewatch.move(settlement, { move: 'confirm', confirmations: 4 });
  await tidewatch.move(settlement, { move: 'settle', txHash: '0xabc', gasActual: 20000 });
  await expect(row).toHaveAttribute('data-status', 'settled');
  await settlements.equalsAFreshLoad();
  expect(await page.evaluate(() => 'neverReloaded' in window)).toBe(true);
});

test('rows stay where they are while someone points at them', async ({ page, operator, tidewatch }) => {
  await tidewatch.create('POINT-0');
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await settlements.isLive();
  await settlements.rows.first().hover();
  const before = (await settlements.read()).map((row) => row.id);
  const created = await tidewatch.create('POINT-1');
  await expect(page.getByRole('button', { name: '1 new' })).toBeVisible();
  expect((await settlements.read()).map((row) => row.id)).toEqual(before);
  await page.getByRole('button', { name: '1 new' }).click();
  await expect(settlements.rows.first()).toHaveAttribute('data-id', created.id);
});

test('the detail follows with its history, and forms act on what is there now', async ({ page, operator, tidewatch }) => {
  let settlement = await tidewatch.create('DETAIL-1');
  await page.goto(`/settlements/${settlement.id}`);
  const settlements = new SettlementsPage(page);
  await settlements.isLive();
  settlement = await tidewatch.move(settlement, { move: 'select_network', network: 'solana', score: 80, reasoning: 'fast', required: 2 });
  const article = page.locator('article');
  await expect(article).toHaveAttribute('data-version', '2');
  await expect(page.locator('.timeline-item')).toHaveCount(2);
  await expect(page.locator('.timeline-title').first()).toHaveText('Network solana selected');
  await tidewatch.move(settlement, { move: 'hold', reason: 'odd amount' });
  await page.getByRole('button', { name: 'Release' }).click();
  await expect(article).toHaveAttribute('data-status', 'network_selected');
  await expect(page.locator('.timeline-item')).toHaveCount(4);
});

test('the overview counts along', async ({ page, operator, tidewatch }) => {
  const settlements = new SettlementsPage(page);
  await settlements.isLive();
  const count = page.locator('.statuses li[data-status="held"]');
  const before = Number(await count.getAttribute('data-count'));
  const held = await tidewatch.move(await tidewatch.create('COUNT-1'), { move: 'hold', reason: 'x' });
  await expect(count).toHaveAttribute('data-count', String(before + 1));
  await expect(page.locator(`.attention [data-id="${held.id}"]`)).toBeVisible();
  await expect(page.locator('[data-waiting="settlements-held"]'), 'how many there are, beside the oldest of them').toHaveAttribute('data-total', /[1-9]/);
  await expect(page.locator('.feed .timeline-item').first()).toContainText('COUNT-1');
});

test('what waits for a person in other modules is counted along', async ({ page, operator, tidewatch }) => {
  await page.goto('/');
  await new Dashboard(page).isLive();
  const total = async () => Number(await page.locator('[data-waiting="incidents-open"]').getAttribute('data-total').catch(() => '0'));
  const before = (await page.locator('[data-waiting="incidents-open"]').count()) === 0 ? 0 : await total();
  const incident = await tidewatch.curl('POST', '/api/v1/incidents', { title: 'Waits for somebody', severity: 'high' });
  expect(incident.status).toBe(201);
  const line = page.locator('[data-waiting="incidents-open"]');
  await expect(line).toHaveAttribute('data-total', String(before + 1));
  await expect(line.getByRole('link')).toHaveAttribute('href', '/incidents?status=open');
  await tidewatch.curl('POST', `/api/v1/incidents/${incident.json.id}/moves`, { move: 'acknowledge', expectedVersion: 1 });
  if (before === 0) await expect(line).toHaveCount(0);
  else await expect(line).toHaveAttribute('data-total', String(before));
});

test('a read that is planned when its page is left does not happen, and breaks nothing', async ({ page, operator }) => {
  await page.clock.install();
  await page.goto('/');
  const dashboard = new Dashboard(page);
  await dashboard.isLive();
  let reads = 0;
  await page.route('**/fn/get_overview*', (route) => {
    reads += 1;
    return route.abort();
  });
  // The read fails, so the page plans another one in a few seconds; then somebody leaves it.
  const failed = page.waitForEvent('requestfailed', (request) => request.url().includes('get_overview'));
  await page.locator('[data-range-link="7d"]').click();
  await failed;
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Orders', exact: true }).click();
  await expect(dashboard.heading).toHaveText('Orders');
  const before = reads;
  await page.clock.fastForward(6_000);
  // A page that panicked could not do this any more; the panic itself would fail the test, too.
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Payments', exact: true }).click();
  await expect(dashboard.heading).toHaveText('Payments');
  expect(reads).toBe(before);
});
