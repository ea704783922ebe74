import { expect, test } from '../fixtures/test.ts';
import { Dashboard } from '../pages/dashboard.ts';

test('a page whose part comes late is what the server rendered until then, and reacts from then on', async ({ page, operator, tidewatch }) => {
  await tidewatch.create('LATE-1');
  let let_through = () => {};
  const held = new Promise<void>((resolve) => { let_through = resolve; });
  await page.route(/\/pkg\/split_records/, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto('/settlements');
  const dashboard = new Dashboard(page);
  const changed = page.getByRole('row').filter({ hasText: 'LATE-1' }).locator('time');
  await expect(changed).toContainText('UTC');
  await expect(page.locator('html')).not.toHaveAttribute('data-hydrated');
  let_through();
  await dashboard.isLive();
  await expect(changed).toContainText('ago');
  await tidewatch.create('LATE-2');
  await expect(page.getByRole('row').filter({ hasText: 'LATE-2' })).toBeVisible();
});
