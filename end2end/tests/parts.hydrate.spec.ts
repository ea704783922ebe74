import type { Page, Route } from '@playwright/test';
import { Dashboard } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

/** What the browser says on its console of a part that did not come. */
const NO_PART = /Failed to fetch|WebAssembly|TypeError|CompileError|using link preload but not used/;

/** How a part does not come: the network fails, or the server is of another build and does not have it. */
const ways: [string, (route: Route) => Promise<void>][] = [
  ['the network fails', (route) => route.abort()],
  ['the server no longer has it', (route) => route.fulfill({ status: 404, contentType: 'text/plain', body: 'Not found' })],
];

/** A document that stays as the server rendered it, and says so. */
async function isPlain(page: Page): Promise<void> {
  await expect(page.locator('html')).toHaveAttribute('data-part-missing', 'true');
  await expect(page.locator('html')).not.toHaveAttribute('data-hydrated');
  await expect(page.getByRole('alert')).toContainText('A part of this page could not be loaded');
}

for (const [how, fail] of ways) {
  test(`a part that does not come on the way to a page: the page comes as a document (${how})`, async ({ page, operator, quiet }) => {
    quiet.allow(NO_PART);
    const dashboard = new Dashboard(page);
    await page.goto('/settlements');
    await dashboard.isLive();
    let failed = 0;
    await page.route(/\/pkg\/split_operation/, (route) => (failed += 1) === 1 ? fail(route) : route.continue());
    const document = page.waitForRequest((request) => request.isNavigationRequest());
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Events', exact: true }).click();
    expect(new URL((await document).url()).pathname).toBe('/events');
    await expect(dashboard.heading).toHaveText('Events');
    // Once the part can be had, it is a page like any other.
    await dashboard.isLive();
    await expect(page.locator('.part-missing')).toBeHidden();
  });

  test(`a page whose part does not come stays as the server rendered it (${how})`, async ({ page, operator, tidewatch, quiet }) => {
    quiet.allow(NO_PART);
    const reference = `PART-${Math.random().toString(36).slice(2, 8)}`;
    await tidewatch.create(reference);
    await page.route(/\/pkg\/split_/, fail);
    const dashboard = new Dashboard(page);
    await page.goto('/settlements');
    await isPlain(page);
    await expect(page.getByRole('row').filter({ hasText: reference })).toBeVisible();

    // Links lead, and none of them round in a circle.
    let documents = 0;
    page.on('request', (request) => (documents += request.isNavigationRequest() ? 1 : 0));
    await page.getByRole('row').filter({ hasText: reference }).getByRole('link').first().click();
    await expect(dashboard.heading).toContainText(reference);
    await isPlain(page);
    expect(documents).toBe(1);
    // Forms post.
    await dashboard.hold('by a plain form');
    await expect(page.locator('article')).toHaveAttribute('data-status', 'held');
    await isPlain(page);

    await page.unroute(/\/pkg\/split_/);
    await page.getByRole('link', { name: 'Reload' }).click();
    await dashboard.isLive();
    await expect(page.locator('article')).toHaveAttribute('data-status', 'held');
  });
}
