import { expect, test } from '../fixtures/test.ts';
import { make } from '../fixtures/modules.ts';

// Where a script runs, the count is on the page before the click.

test('a move for many asks first where no script has said for how many it is', async ({ page, operator, tidewatch }) => {
  const made = await Promise.all([1, 2].map((number) => make(tidewatch, 'orders', { reference: `PLAIN-${number}`, totalMinor: 100, currency: 'EUR' })));
  await page.goto('/orders?q=plain');
  await page.getByText('Move many at once').click();
  await page.locator('#bulk select[name="move"]').selectOption('cancel');
  await page.locator('#bulk input[name="fields[reason]"]').fill('season is over');
  for (const record of made) await page.locator(`.record-row[data-id="${record.id}"] .tick`).check();
  await page.locator('#bulk').getByRole('button').click();
  await expect(page.locator('[data-confirm="2"]')).toContainText('2 of 2 orders');
  await page.getByRole('button', { name: /^Yes: / }).click();
  await expect(page.getByText('Moving 2.')).toBeVisible();
});
