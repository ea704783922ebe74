import { type Browser, expect, type Page } from '@playwright/test';
import type { Tidewatch } from '../fixtures/tidewatch.ts';

export class LoginPage {
  constructor(private readonly page: Page) {}

  async open(next = ''): Promise<void> {
    await this.page.goto(next ? `/login?next=${encodeURIComponent(next)}` : '/login');
  }

  async logIn(email: string, password: string): Promise<void> {
    await this.page.getByLabel('E-mail').fill(email);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Log in' }).click();
  }
}

/** Another operator in a browser of their own, signed in; who asks closes its context. */
export async function anotherOperator(browser: Browser, tidewatch: Tidewatch): Promise<Page> {
  const { email, password } = await tidewatch.addPerson(['operator']);
  const context = await browser.newContext({ baseURL: tidewatch.url });
  const page = await context.newPage();
  const login = new LoginPage(page);
  await login.open();
  await login.logIn(email, password);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Overview');
  return page;
}
