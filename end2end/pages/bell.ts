import { expect, type Locator, type Page } from '@playwright/test';

/** The bell on a page of another site. */
export class BellPage {
  readonly host: Locator;
  readonly toggle: Locator;
  readonly badge: Locator;
  readonly panel: Locator;

  private constructor(readonly page: Page) {
    this.host = page.locator('tidewatch-bell');
    this.toggle = this.host.locator('.toggle');
    this.badge = this.host.locator('.badge');
    this.panel = this.host.getByRole('dialog', { name: 'Notifications' });
  }

  /**
   * A page that keeps what shifts its layout, and lets a test look into shadows: what an element asked for is kept on
   * `shadowModes`.
   */
  static async on(page: Page): Promise<BellPage> {
    await page.addInitScript(() => {
      const kept = window as unknown as { shifts: number; shadowModes: string[] };
      kept.shifts = 0;
      kept.shadowModes = [];
      new PerformanceObserver((list) => {
        // What somebody has asked for is no shift: https://wicg.github.io/layout-instability/#sec-layout-shift
        for (const entry of list.getEntries() as unknown as { value: number; hadRecentInput: boolean }[]) {
          if (!entry.hadRecentInput) kept.shifts += entry.value;
        }
      }).observe({ type: 'layout-shift', buffered: true });
      const attach = Element.prototype.attachShadow;
      Element.prototype.attachShadow = function (init) {
        kept.shadowModes.push(init.mode);
        return attach.call(this, { ...init, mode: 'open' });
      };
    });
    return new BellPage(page);
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url);
    await this.isLive();
  }

  async isLive(): Promise<void> {
    await expect(this.host.locator('.bell')).toHaveAttribute('data-state', 'live', { timeout: 30_000 });
  }

  /** What is in the list under this title. */
  item(title: string): Locator {
    return this.panel.locator('li').filter({ hasText: title });
  }

  /** How much of the page has moved by itself since it was loaded. */
  shifts(): Promise<number> {
    return this.page.evaluate(() => (window as unknown as { shifts: number }).shifts);
  }
}
