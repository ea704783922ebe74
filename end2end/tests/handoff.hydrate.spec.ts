import type { Page } from '@playwright/test';
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

test('pages that are rendered while the relay is behind miss nothing and count nothing twice', async ({ page, operator, tidewatch }) => {
  let settlement = await tidewatch.create('BEHIND-1');
  await tidewatch.publishedEvents();
  const settlements = new SettlementsPage(page);
  const overview = await page.context().newPage();

  await tidewatch.whileNothingIsPublished(async () => {
    settlement = await tidewatch.move(settlement, { move: 'hold', reason: 'odd' });
    await page.goto(`/settlements/${settlement.id}`);
    await expect(page.locator('article')).toHaveAttribute('data-version', '2');
    await expect(page.locator('.timeline-item')).toHaveCount(1);
    await overview.goto('/');
    await expect(overview.locator('.feed .timeline-item').first()).toContainText('Created');
    await settlements.isLive();
    await new SettlementsPage(overview).isLive();
  });

  await expect(page.locator('.timeline-item')).toHaveCount(2);
  await expect(overview.locator('.feed .timeline-item').first()).toContainText('Held');
  const counts = (on: Page) =>
    on.locator('.statuses li').evaluateAll((all) => all.map((item) => [(item as HTMLElement).dataset.status, (item as HTMLElement).dataset.count]));
  await page.goto('/');
  expect(await counts(overview)).toEqual(await counts(page));
});
