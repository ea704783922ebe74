import { Dashboard } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';
import { make } from '../fixtures/modules.ts';

test('the explorer finds events by type, by words and by what belongs together', async ({ page, operator, tidewatch }) => {
  const order = await make(tidewatch, 'orders', { reference: 'EXPLORE-1', totalMinor: 4711, currency: 'EUR' });
  await make(tidewatch, 'incidents', { title: 'Explore me', severity: 'low' });
  await tidewatch.publishedEvents();
  const dashboard = new Dashboard(page);
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Events', exact: true }).click();
  await expect(dashboard.heading).toHaveText('Events');
  const events = page.locator('.event');
  await page.goto('/events?types=order.*&q=4711');
  await expect(events).toHaveCount(1);
  await expect(events).toHaveAttribute('data-type', 'order.created');
  // The record that it happened to, and the event's own page.
  await events.locator('.event-subject a').first().click();
  await expect(page).toHaveURL(new RegExp(`/orders/${order.id}$`));
  await page.goBack();
  await events.locator('a[rel="bookmark"]').click();
  await expect(page.locator('main')).toContainText('order.created');
  await expect(page.locator('main')).toContainText('4711');
  await page.goto('/events?types=Nonsense');
  await expect(page.locator('[data-parameter="types"]')).toBeVisible();
});

test('the witness looks when it is asked to, and says what it found', async ({ page, operator, tidewatch }) => {
  await make(tidewatch, 'invoices', { reference: 'WITNESS-1', amountMinor: 900, currency: 'EUR' });
  await page.goto('/witness');
  await page.getByRole('button', { name: 'Run now' }).click();
  await expect(async () => {
    await page.goto('/witness');
    await expect(page.locator('main')).toContainText('invoices', { timeout: 2_000, ignoreCase: true });
  }).toPass({ timeout: 30_000 });
  await expect(page.locator('main .badge').first()).toHaveAttribute('data-status', 'clean');
});
