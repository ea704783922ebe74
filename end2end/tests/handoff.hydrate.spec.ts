import { SettlementsPage } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

test('an event between the server render and the hydration is on the page', async ({ page, operator, tidewatch }) => {
  const before = await tidewatch.create('HANDOFF-0');
  // The page is rendered and shown; its program is kept back until the event is committed and published.
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/*.wasm', async (route) => {
    await released;
    await route.continue();
  });
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await expect(settlements.row(before.id)).toHaveAttribute('data-status', 'created');
  await expect(page.locator('html')).not.toHaveAttribute('data-hydrated', 'true');

  const requests: string[] = [];
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  const moved = await tidewatch.move(before, { move: 'fail', error: 'in the window' });
  const created = await tidewatch.create('HANDOFF-1');
  await tidewatch.publishedEvents();
  await expect(settlements.row(created.id)).toHaveCount(0);

  release();
  await settlements.isLive();
  await expect(settlements.row(created.id)).toHaveAttribute('data-status', 'created');
  await expect(settlements.row(before.id)).toHaveAttribute('data-version', String(moved.version));
  // By the stream, not by a second fetch of the data.
  expect(requests.filter((path) => path.startsWith('/fn/'))).toEqual([]);
  await settlements.equalsAFreshLoad();
});
