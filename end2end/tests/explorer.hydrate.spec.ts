import { Dashboard } from '../pages/dashboard.ts';
import { make, move } from '../fixtures/modules.ts';
import { run } from '../fixtures/process.ts';
import { expect, test } from '../fixtures/test.ts';

test('events appear by themselves, wait while paused, and come when it goes on', async ({ page, operator, tidewatch }) => {
  await page.goto('/events?types=ticket.*');
  await new Dashboard(page).isLive();
  const events = page.locator('.event');
  const before = await events.count();
  const first = await make(tidewatch, 'tickets', { title: 'Paused one' });
  await expect(events).toHaveCount(before + 1);
  await expect(events.first().locator('.event-subject')).toContainText(first.id.slice(-4));

  const live = page.locator('.event-live');
  await live.getByRole('button', { name: 'Pause' }).click();
  await expect(live).toHaveAttribute('data-paused', 'true');
  await make(tidewatch, 'tickets', { title: 'Paused two' });
  await make(tidewatch, 'orders', { reference: 'NOT-ASKED-FOR', totalMinor: 1, currency: 'EUR' });
  await expect(live).toContainText('Paused, 1 new');
  // What stands still is as old as it is, though the page goes on.
  await expect(page.locator('.freshness')).toContainText(', paused');
  await expect(events).toHaveCount(before + 1);
  await live.getByRole('button', { name: 'Go on' }).click();
  await expect(events).toHaveCount(before + 2);
  await expect(live).toHaveAttribute('data-paused', 'false');
  await expect(page.locator('.freshness')).not.toContainText('paused');
});

test('an event of a type that nobody knew appears by itself as well', async ({ page, operator, tidewatch }) => {
  // The page's program polls where it has no stream: here it has one.
  await page.goto('/events');
  await new Dashboard(page).isLive();
  const type = `scanner.${Math.random().toString(36).slice(2).replace(/[0-9]/g, 'x')}`;
  const event = { channelName: 'scans', eventType: type, aggregateType: 'Scanner', aggregateId: 's_1', payload: { beep: true } };
  for (const priority of ['normal', 'high']) {
    const published = await tidewatch.curl('POST', '/api/v1/publishers/events/publish', { ...event, priority });
    expect(published.status).toBe(202);
    await expect(page.locator(`.event[data-id="${published.json.events[0].eventId}"]`)).toBeVisible();
  }
  expect(await page.evaluate(() => performance.getEntriesByType('resource')
    .some((entry) => entry.name.includes('/api/v1/events?') && entry.name.includes('limit=')))).toBe(false);
});

test('while somebody points at an event, new ones wait behind a pill', async ({ page, operator, tidewatch }) => {
  await make(tidewatch, 'tickets', { title: 'Pointed at' });
  await page.goto('/events?types=ticket.*');
  await new Dashboard(page).isLive();
  const events = page.locator('.event');
  const first = await events.first().getAttribute('data-id');
  await events.first().hover();
  await make(tidewatch, 'tickets', { title: 'Waits' });
  const pill = page.getByRole('button', { name: '1 new' });
  await expect(pill).toBeVisible();
  await expect(events.first()).toHaveAttribute('data-id', first ?? '');
  await pill.click();
  await expect(events.first()).not.toHaveAttribute('data-id', first ?? '');
});

test('a moment that is held stays: its events, its board, and its address for others', async ({ page, operator, tidewatch }) => {
  const invoice = await make(tidewatch, 'invoices', { reference: 'HELD-MOMENT', amountMinor: 700, currency: 'EUR' });
  await page.goto(`/events?resourceId=${invoice.id}`);
  await new Dashboard(page).isLive();
  const events = page.locator('.event');
  await expect(events).toHaveCount(1);
  await page.getByRole('link', { name: 'Hold this moment' }).click();
  await expect(page).toHaveURL(/asOf=/);
  const open = page.locator('.board-then [data-kind="Invoice"] .board-count[data-status="open"]');
  await expect(open).toBeVisible();
  const openThen = await open.getAttribute('data-records');

  await move(tidewatch, 'invoices', invoice, { move: 'pay' });
  await tidewatch.publishedEvents();
  await page.reload();
  await expect(events).toHaveCount(1);
  await expect(open).toHaveAttribute('data-records', openThen ?? '');
  await expect(page.locator('.event-then')).toContainText('Nothing here moves');
  await page.getByRole('link', { name: 'Back to live' }).click();
  await expect(events).toHaveCount(2);
});

test('what belongs together is a click away, and the command asks for the very same', async ({ page, operator, tidewatch }) => {
  // A payment that is captured pays its order: what came of one request belongs together.
  const order = await make(tidewatch, 'orders', { reference: 'TOGETHER-1', totalMinor: 4200, currency: 'EUR', items: 1 });
  let payment = await make(tidewatch, 'payments', { reference: 'TOGETHER-1', amountMinor: 4200, currency: 'EUR', orderId: order.id });
  payment = await move(tidewatch, 'payments', payment, { move: 'authorize' });
  await move(tidewatch, 'payments', payment, { move: 'capture' });
  await tidewatch.publishedEvents();
  await page.goto(`/events?resourceId=${order.id}`);
  await new Dashboard(page).isLive();
  const events = page.locator('.event');
  await expect(events).toHaveCount(2);
  await events.first().locator('summary').click();
  await events.first().locator('[data-related]').click();
  await expect(page).toHaveURL(/correlationId=/);
  await expect(page.locator('.event[data-type^="payment."]')).not.toHaveCount(0);
  await expect(page.locator('.event[data-type^="order."]')).not.toHaveCount(0);

  const shown = await events.evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.id));
  await page.getByText('The same by API').click();
  const command = await page.locator('.event-curl pre').innerText();
  const answer = await run('bash', ['-c', command], { TIDEWATCH_URL: tidewatch.url, TIDEWATCH_API_KEY: tidewatch.key });
  expect(JSON.parse(answer).events.map((event: { eventId: string }) => event.eventId)).toEqual(shown);

  // All of it as a file.
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.exports').getByRole('link', { name: 'CSV' }).click()]);
  expect(download.suggestedFilename()).toBe('tidewatch-events.csv');
});
