import { expect, test } from '../fixtures/test.ts';
import { make } from '../fixtures/modules.ts';

// With and without JavaScript.

test('a view is saved under a name, leads back to what it was, and is forgotten', async ({ page, operator, tidewatch }) => {
  await make(tidewatch, 'tickets', { title: 'Saved view' });
  await page.goto('/tickets?q=saved&sort=changed');
  await page.getByText('Save this view').click();
  await page.getByLabel('Name of the view').fill('Mine to look at');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const link = page.getByRole('link', { name: 'Mine to look at', exact: true });
  await expect(link).toHaveAttribute('aria-current', 'true');
  await page.goto('/tickets');
  await expect(link).not.toHaveAttribute('aria-current', 'true');
  await link.click();
  await expect(page).toHaveURL(/\/tickets\?q=saved&sort=changed$/);
  await page.goto('/orders');
  await expect(link).toHaveCount(0);
  await page.goto('/tickets');
  await page.getByRole('button', { name: 'Forget the view Mine to look at' }).click();
  await expect(link).toHaveCount(0);
});

test('compact rows stand closer, on every later page', async ({ page, operator, tidewatch }) => {
  await make(tidewatch, 'orders', { reference: 'DENSE-1', totalMinor: 1, currency: 'EUR' });
  await page.goto('/orders');
  const height = () => page.locator('.record-row').first().evaluate((row) => row.getBoundingClientRect().height);
  const before = await height();
  await page.getByRole('button', { name: 'Compact rows' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-density', 'compact');
  await expect(page).toHaveURL(/\/orders$/);
  expect(await height()).toBeLessThan(before);
  await page.getByRole('button', { name: 'Compact rows' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-density', 'comfortable');
});
