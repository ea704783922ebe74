import { SettlementsPage } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

// These end the server: one of their own.
test.use({ settings: {} });

test('a server that goes and comes back: reconnecting, then live, and the table is whole', async ({ page, operator, tidewatch }) => {
  const first = await tidewatch.create('DOWN-0');
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await settlements.isLive();
  await tidewatch.stopServer();
  await settlements.shows('reconnecting');
  await expect(settlements.pill).toContainText(/Reconnecting( in \d+ s)?/);
  await tidewatch.startServer();
  await tidewatch.move(first, { move: 'fail', error: 'while nobody watched' });
  const created = await tidewatch.create('DOWN-1');
  await settlements.isLive();
  await expect(settlements.row(created.id)).toBeVisible();
  await expect(settlements.row(first.id)).toHaveAttribute('data-status', 'failed');
  await settlements.equalsAFreshLoad();
});

test('a stream that is blocked: polling, and the table is whole; unblocked: live again', async ({ page, operator, tidewatch }) => {
  test.slow(); // three attempts with their pauses, and the try behind the polls
  let isBlocked = true;
  await page.route('**/api/v1/events?**', async (route) => {
    const wantsStream = (route.request().headers().accept ?? '').includes('text/event-stream');
    if (wantsStream && isBlocked) await route.abort();
    else await route.continue();
  });
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await settlements.shows('polling', 60_000);
  const created = await tidewatch.create('POLL-1');
  await expect(settlements.row(created.id)).toBeVisible({ timeout: 40_000 });
  await tidewatch.move(created, { move: 'hold', reason: 'seen by polling' });
  await expect(settlements.row(created.id)).toHaveAttribute('data-status', 'held', { timeout: 40_000 });
  await settlements.equalsAFreshLoad();

  isBlocked = false;
  await settlements.shows('live', 90_000);
  const later = await tidewatch.create('POLL-2');
  await expect(settlements.row(later.id)).toBeVisible();
});
