import { expect, type Locator, type Page } from '@playwright/test';
import { Dashboard } from './dashboard.ts';

/** One's notifications. */
export class InboxPage extends Dashboard {
  readonly bell: Locator;
  readonly rows: Locator;

  constructor(page: Page) {
    super(page);
    this.bell = page.locator('.bell');
    this.rows = page.locator('.notification');
  }

  async open(query = ''): Promise<void> {
    await this.page.goto(`/notifications${query}`);
    await expect(this.heading).toHaveText('Notifications');
  }

  /** The one whose title begins so. */
  row(title: string): Locator {
    return this.rows.filter({ has: this.page.getByRole('link', { name: title }) });
  }

  /** The button of a row. */
  step(title: string, name: string): Locator {
    return this.row(title).getByRole('button', { name: new RegExp(`^${name}: `) });
  }

  async counts(unread: number): Promise<void> {
    await expect(this.bell).toHaveAttribute('data-unread', String(unread));
  }
}
