import { told } from '../fixtures/embed.ts';
import { expect } from '../fixtures/test.ts';

// It ends its server: one of its own.
told.use({ settings: { TIDEWATCH_CORS_ORIGINS: '*' } });

told('it comes back by itself after a restart, with what it missed', async ({ told: { host, prefix, bell }, tidewatch }) => {
  told.slow();
  await bell.open(host.url);
  await tidewatch.create(`${prefix}-1`);
  await expect(bell.badge).toHaveText('1');
  await tidewatch.killServer();
  await expect(bell.host.locator('.bell')).toHaveAttribute('data-state', 'away');
  await tidewatch.startServer();
  await tidewatch.create(`${prefix}-2`);
  await bell.isLive();
  await expect(bell.badge).toHaveText('2');
});
